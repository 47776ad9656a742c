package dev.espalier.model;

import dev.espalier.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// The gradients of an adapter's matrices.
final class LoraGradients {
  private LoraGradients() {}

  /// What the parameters hold, which is cleared.
  static Map<String, float[]> take(Lora lora) {
    var out = new LinkedHashMap<String, float[]>();
    lora.parameters()
        .forEach((name, parameter) -> {
          try (var scope = new Scope()) {
            var gradient = parameter.grad().detach();
            out.put(name, floats(gradient));
            gradient.zero_();
          }
        });
    return out;
  }

  static float[] floats(Tensor tensor) {
    var out = new float[Math.toIntExact(tensor.numel())];
    tensor.detach().contiguous().data_ptr_float().get(out);
    return out;
  }
}

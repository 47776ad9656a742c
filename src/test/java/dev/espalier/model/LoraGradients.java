package dev.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;

/// The gradients of an adapter's matrices.
public final class LoraGradients {
  private LoraGradients() {}

  /// What the parameters hold, which is cleared.
  public static Map<String, float[]> take(Lora lora) {
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

  /// How far all gradients together are from the exact ones.
  public static double off(Map<String, float[]> got, Map<String, float[]> exact) {
    double sum = 0;
    for (var one : got.entrySet()) {
      var expected = Objects.requireNonNull(exact.get(one.getKey()), one.getKey());
      for (int i = 0; i < expected.length; i++) sum += Math.pow(one.getValue()[i] - expected[i], 2);
    }
    return Math.sqrt(sum);
  }

  /// Checks that each matrix has a gradient, and that it is the expected one.
  public static void check(Map<String, float[]> got, Map<String, float[]> expected, String which) {
    expected.forEach((name, gradient) -> {
      float largest = 0;
      for (float one : gradient) largest = Math.max(largest, Math.abs(one));
      assertThat(largest).as("%s of %s", which, name).isPositive();
      assertThat(got.get(name))
          .as("%s, %s", which, name)
          .containsExactly(gradient, within(2e-4f * largest));
    });
  }

  public static float[] floats(Tensor tensor) {
    var out = new float[Math.toIntExact(tensor.numel())];
    tensor.detach().contiguous().data_ptr_float().get(out);
    return out;
  }
}

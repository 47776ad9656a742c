package dev.espalier.engine;

import dev.espalier.model.Lora;
import dev.espalier.model.ModelShape;
import dev.espalier.model.Peft;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.nio.file.Path;

/// One version of an adapter, loaded: what requests for it decode with.
///
/// @param version names adapter and version in token traces
public record Adapter(String name, String version, Lora lora) implements AutoCloseable {
  /// Loads a PEFT folder.
  public static Adapter load(String name, String version, Path peft, ModelShape shape) {
    var lora = Device.cpu().run(Urgency.DECODE, () -> Peft.load(peft, shape));
    return new Adapter(name, version, lora);
  }

  @Override
  public void close() {
    lora.close();
  }
}

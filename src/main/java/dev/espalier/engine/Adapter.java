package dev.espalier.engine;

import dev.espalier.model.FrozenLora;
import dev.espalier.model.Peft;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.nio.file.Path;

/// One version of an adapter, loaded: what requests for it decode with.
///
/// @param version names adapter and version in token traces
public record Adapter(String name, String version, FrozenLora lora) implements AutoCloseable {
  /// Loads a PEFT folder, to compute on that base.
  public static Adapter load(String name, String version, Path peft, BaseModel base) {
    return Device.loader()
        .run(
            Urgency.DECODE,
            () -> {
              try (var masters = Peft.load(peft, base.shape())) {
                return new Adapter(name, version, masters.frozen(base.shape(), base.dtype()));
              }
            });
  }

  @Override
  public void close() {
    lora.close();
  }
}

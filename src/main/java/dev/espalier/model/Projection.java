package dev.espalier.model;

import dev.espalier.model.ModelShape.Linear;
import java.util.List;

/// Linear layers that read the same input, and so are computed as one product.
///
/// @param name of its first layer
/// @param parts in the order of their outputs
public record Projection(String name, List<Linear> parts) {
  /// Layers of one input.
  static Projection of(Linear... parts) {
    return new Projection(parts[0].name(), List.of(parts));
  }

  /// How wide each part's output is.
  long[] outs() {
    return parts.stream().mapToLong(Linear::out).toArray();
  }
}

package dev.espalier.store;

import org.jspecify.annotations.Nullable;

/// Where the requests for a model name go.
///
/// @param model the name that clients send
/// @param fallback answers where the target cannot, as long as nothing was sent to the client; null
///   for none
public record Route(String model, Target target, @Nullable Target fallback) {
  /// Something that answers requests.
  public sealed interface Target {
    /// A configured upstream.
    ///
    /// @param model the name to send upstream; null sends the client's
    record Upstream(String name, @Nullable String model) implements Target {}

    /// An adapter, or the base model, of this process.
    record Adapter(String name) implements Target {}
  }

  public Route {
    if (model.isBlank()) throw new IllegalArgumentException("a route needs a model name");
  }
}

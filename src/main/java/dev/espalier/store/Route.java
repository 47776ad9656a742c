package dev.espalier.store;

import dev.espalier.chat.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

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

    /// `{"upstream": NAME, "model": NAME}` or `{"adapter": NAME}`.
    default ObjectNode json() {
      return switch (this) {
        case Upstream(var name, var model) -> {
          var json = Json.object().put("upstream", name);
          yield model == null ? json : json.put("model", model);
        }
        case Adapter(var name) -> Json.object().put("adapter", name);
      };
    }

    /// Reads what `json()` writes.
    ///
    /// @throws IllegalArgumentException if it is anything else
    static Target of(JsonNode json) {
      var upstream = json.path("upstream").asString("");
      var adapter = json.path("adapter").asString("");
      if (upstream.isEmpty() == adapter.isEmpty()) {
        throw new IllegalArgumentException(
            "a target is {\"upstream\": NAME, \"model\": NAME} or {\"adapter\": NAME}");
      }
      if (!adapter.isEmpty()) return new Adapter(adapter);
      var model = json.path("model");
      return new Upstream(upstream, model.isString() ? model.asString() : null);
    }
  }

  /// Who may answer, in order of preference.
  public List<Target> targets() {
    return fallback == null ? List.of(target) : List.of(target, fallback);
  }

  public Route {
    if (model.isBlank()) throw new IllegalArgumentException("a route needs a model name");
  }
}

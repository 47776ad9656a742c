package dev.espalier.gateway;

import dev.espalier.store.Route.Target;

/// Who answered.
///
/// @param by `upstream:NAME` or `adapter:NAME`, empty if nobody did
/// @param model the name that the model has there
record Served(String by, String model, boolean fellBack) {
  static Served nobody() {
    return new Served("", "", false);
  }

  static Served by(Target target, String clientModel, boolean fellBack) {
    return switch (target) {
      case Target.Upstream(var name, var model) ->
          new Served("upstream:" + name, model == null ? clientModel : model, fellBack);
      case Target.Adapter(var name) -> new Served("adapter:" + name, name, fellBack);
    };
  }
}

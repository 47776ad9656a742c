package dev.espalier.distil;

import dev.espalier.chat.Json;
import tools.jackson.databind.node.ObjectNode;

/// The best adapter of a run so far.
record Best(int step, double loss) {
  static final Best NONE = new Best(0, Double.POSITIVE_INFINITY);

  static Best of(ObjectNode progress) {
    return new Best(
        progress.path("best_step").asInt(),
        progress.path("best_loss").asDouble(Double.POSITIVE_INFINITY));
  }

  ObjectNode toJson() {
    return Json.object().put("best_step", step).put("best_loss", loss);
  }
}

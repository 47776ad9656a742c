package dev.espalier.env;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the office has learnt in a conversation and does not ask for again.
final class MarinaKnown {
  private final Map<String, String> berths = new HashMap<>();
  private final Set<String> done = new HashSet<>();
  private @Nullable String vessel;
  private @Nullable String reporter;

  @Nullable String vessel() {
    return vessel;
  }

  @Nullable String reporter() {
    return reporter;
  }

  @Nullable String berth(@Nullable String vessel) {
    return vessel == null ? null : berths.get(vessel);
  }

  void lies(String vessel, String berth) {
    berths.put(vessel, berth);
  }

  /// Notes who and what a task has named.
  void named(MarinaTask task) {
    if (task.vessel() != null) vessel = task.vessel();
    if (task.arguments().has("reporter")) reporter = task.arguments().get("reporter").asString();
  }

  /// Whether this would be news; the second time it is not.
  boolean first(MarinaTask task) {
    return done.add(task.tool() + "/" + task.vessel());
  }

  /// Whether the office can tell this argument of the task without being told.
  boolean knows(MarinaTask task, String slot) {
    var value = task.arguments().get(slot).asString("");
    return switch (slot) {
      case "vessel" -> value.equals(vessel);
      case "reporter" -> value.equals(reporter);
      case "from_berth" -> value.equals(berth(task.vessel()));
      default -> false;
    };
  }
}

package dev.espalier.env;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// What people come to the office of [MarinaEnv] for.
///
/// @param things how many of them a person wants, one after the other
/// @param regulars how many vessels, people, berths, dates and numbers there are, the same in every
///   set; 0 for all that the set has, so that a held-out task has none that was practised with
/// @param tools that the things are done with; empty for any
public record Errands(int things, int regulars, List<String> tools) {
  /// One thing of any kind, for somebody new.
  public static final Errands ANY = new Errands(1, 0, List.of());

  public Errands {
    tools = List.copyOf(tools);
    if (things < 1) throw new IllegalArgumentException("a person wants at least one thing");
    if (regulars < 0) throw new IllegalArgumentException("regulars cannot be negative");
    if (regulars == 1) {
      throw new IllegalArgumentException("a single regular has nothing to change a mind to: two");
    }
    long kinds = tools.isEmpty() ? PortAlder.toolNames().size() : tools.stream().distinct().count();
    if (regulars > 0 && things > regulars * kinds) {
      throw new IllegalArgumentException(
          "%d regulars want at most %d different things: ask for fewer, or for more regulars"
              .formatted(regulars, regulars * kinds));
    }
    for (var tool : tools) {
      if (!PortAlder.toolNames().contains(tool)) {
        throw new IllegalArgumentException(
            "the office has no tool \"%s\"; it has %s".formatted(tool, PortAlder.toolNames()));
      }
    }
  }

  /// Writes what a task's data has of it.
  void write(ObjectNode data) {
    data.put("things", things).put("regulars", regulars);
    var names = data.putArray("tools");
    tools.forEach(names::add);
  }

  static Errands read(ObjectNode data) {
    var names = new ArrayList<String>();
    data.path("tools").forEach(name -> names.add(name.asString()));
    return new Errands(data.path("things").asInt(1), data.path("regulars").asInt(0), names);
  }

  /// The tools that there are errands for.
  List<String> possible() {
    return tools.isEmpty() ? PortAlder.toolNames() : tools;
  }

  /// The values that the things are about.
  MarinaValues values(String set) {
    if (regulars > 0) return MarinaValues.regulars(regulars);
    return set.equals("captured") ? MarinaValues.captured() : MarinaValues.heldOut();
  }
}

package dev.espalier.judge;

import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A group as a judge reads it: what all attempts have in common once, then what each did, the same
/// thing only once.
///
/// @param common the messages that all attempts begin with
/// @param distinct the rest of each attempt that differs from the others
/// @param which for each attempt of the group the index of its rest
record Transcripts(List<JsonNode> common, List<List<JsonNode>> distinct, List<Integer> which) {
  static Transcripts of(TrajectoryGroup group) {
    var whole = group.trajectories().stream().map(Transcripts::messages).toList();
    int shared = whole.stream().mapToInt(List::size).min().orElse(0);
    for (int i = 0; i < shared; i++) {
      int at = i;
      if (!whole.stream().allMatch(one -> one.get(at).equals(whole.getFirst().get(at)))) shared = i;
    }
    var distinct = new ArrayList<List<JsonNode>>();
    var which = new ArrayList<Integer>();
    for (var one : whole) {
      var rest = one.subList(shared, one.size());
      int known = distinct.indexOf(rest);
      which.add(known < 0 ? distinct.size() : known);
      if (known < 0) distinct.add(rest);
    }
    return new Transcripts(whole.getFirst().subList(0, shared), distinct, which);
  }

  /// The messages without the ids that tell equal calls apart.
  private static List<JsonNode> messages(Trajectory trajectory) {
    var out = new ArrayList<JsonNode>();
    for (var message : trajectory.messages().deepCopy()) {
      for (var call : message.path("tool_calls")) {
        ((ObjectNode) call).remove("id");
      }
      if (message instanceof ObjectNode object) {
        object.remove("tool_call_id");
      }
      out.add(message);
    }
    return out;
  }

  static String text(List<JsonNode> messages) {
    var out = new StringBuilder();
    for (var message : messages) out.append(message).append('\n');
    return out.toString();
  }
}

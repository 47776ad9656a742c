package dev.espalier.judge;

import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import dev.espalier.env.TrajectoryGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Groups of attempts that say one thing each.
final class Attempts {
  private Attempts() {}

  static Completion said(String text) {
    return new Completion(
        new Message.Assistant(text, List.of()),
        FinishReason.STOP,
        new Usage(1, text.length()),
        null);
  }

  /// Attempts at the same task with those answers; an answer's length is its reward in tenths.
  static TrajectoryGroup saying(String... answers) {
    return told("", answers);
  }

  /// The same by an agent with that system message; none if it is empty.
  static TrajectoryGroup told(String system, String... answers) {
    var task = new Task("say", "task-" + String.join("-", answers).hashCode(), Json.object());
    var out = new ArrayList<Trajectory>();
    for (int i = 0; i < answers.length; i++) {
      var messages = Json.array();
      if (!system.isEmpty()) {
        messages.add(Json.object().put("role", "system").put("content", system));
      }
      messages.add(Json.object().put("role", "user").put("content", "say a lot"));
      messages.add(Json.object().put("role", "assistant").put("content", answers[i]));
      var reward = Map.of(Trajectory.ENV, answers[i].length() / 10.0);
      out.add(
          new Trajectory(task, i, messages, null, List.of(said(answers[i])), End.DONE, "", reward));
    }
    return new TrajectoryGroup(task, out);
  }
}

package dev.espalier.judge;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.env.TrajectoryGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A judge that is shown two attempts at a time and says which is better: for models too small for
/// lists.
///
/// Every pair is shown in both orders, so that a liking for the first place makes a draw and not a
/// winner; an attempt's score is the fraction of its comparisons that it won, a draw being half.
///
/// @param model the judge; it answers `A`, `B` or `=`
/// @param retries how often an answer that is none of these is asked for again
public record Pairwise(ChatModel model, Rubric rubric, int retries) implements Judge {
  @Override
  public Verdict judge(TrajectoryGroup group) {
    var transcripts = Transcripts.of(group);
    int n = transcripts.distinct().size();
    var won = new double[n];
    int calls = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        if (i == j) continue;
        var request = request(transcripts, i, j);
        double first = -1;
        for (int trial = 0; trial <= retries && first < 0; trial++) {
          calls++;
          first = ask(request);
        }
        if (first < 0) {
          throw new JudgeException(
              "no answer of A, B or = on task %s after %d trials"
                  .formatted(group.task().id(), retries + 1));
        }
        won[i] += first;
        won[j] += 1 - first;
      }
    }
    double most = Math.max(1, 2 * (n - 1));
    return new Verdict(
        rubric.version(),
        transcripts.which().stream().map(i -> n == 1 ? 0.5 : won[i] / most).toList(),
        transcripts.which().stream().map(i -> "").toList(),
        calls);
  }

  /// 1 if the first is better, 0 if the second is, 0.5 for a draw; −1 for no answer.
  private double ask(ChatRequest request) {
    try {
      var text = model.complete(request).message().text().strip().toUpperCase(Locale.ROOT);
      return switch (text) {
        case "A" -> 1;
        case "B" -> 0;
        case "=" -> 0.5;
        default -> -1;
      };
    } catch (ChatException e) {
      return -1;
    }
  }

  private ChatRequest request(Transcripts transcripts, int first, int second) {
    List<String> parts = new ArrayList<>();
    if (!transcripts.common().isEmpty()) {
      parts.add("<context>\n" + Transcripts.text(transcripts.common()) + "</context>");
    }
    parts.add("<A>\n" + Transcripts.text(transcripts.distinct().get(first)) + "</A>");
    parts.add("<B>\n" + Transcripts.text(transcripts.distinct().get(second)) + "</B>");
    var messages = Json.array();
    messages.add(
        Json.object()
            .put("role", "system")
            .put(
                "content",
                "Two attempts at the same task, A and B. Which is better? Standards:\n"
                    + rubric.text()
                    + "\nAnswer with A, B, or = if neither is."));
    messages.add(Json.object().put("role", "user").put("content", String.join("\n", parts)));
    var request = ChatRequest.of("judge", messages, null);
    request.json().put("temperature", 0).put("max_tokens", 4);
    return request;
  }
}

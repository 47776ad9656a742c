package dev.espalier.judge;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.env.TrajectoryGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/// A judge that is shown two attempts at a time and says which is better: for models too small for
/// lists.
///
/// Every pair is shown in both orders, so that a liking for the first place makes a draw and not a
/// winner; an attempt's score is the fraction of its comparisons that it won, a draw being half.
/// Some pairs are asked about at once. What the agent is told in every task is in the judge's
/// system message, where it is read once and may be pruned from a judge that is an adapter.
///
/// @param model the judge; it answers `A`, `B` or `=`
/// @param retries how often an answer that is none of these is asked for again
public record Pairwise(ChatModel model, Rubric rubric, int retries) implements Judge {
  private static final int AT_ONCE = 4; // of a group; a provider should not be stormed

  private record Pair(int first, int second, ChatRequest request) {}

  @Override
  public Verdict judge(TrajectoryGroup group) {
    var transcripts = Transcripts.of(group);
    int n = transcripts.distinct().size();
    var won = new double[n][n]; // by the one that was shown first, and the other
    int calls = 0;
    var open = pairs(transcripts);
    int pairs = open.size();
    for (int trial = 0; trial <= retries && !open.isEmpty(); trial++) {
      var left = new ArrayList<Pair>();
      for (int i = 0; i < open.size(); i += AT_ONCE) {
        left.addAll(ask(open.subList(i, Math.min(open.size(), i + AT_ONCE)), won));
      }
      calls += open.size();
      open = left;
    }
    if (!open.isEmpty()) {
      throw new JudgeException(
          "no answer of A, B or = on %d pairs of task %s after %d trials"
              .formatted(open.size(), group.task().id(), retries + 1));
    }
    var scores = scores(won);
    double first = Arrays.stream(won).flatMapToDouble(Arrays::stream).sum();
    return new Verdict(
        rubric.version(),
        transcripts.which().stream().map(i -> scores[i]).toList(),
        transcripts.which().stream().map(i -> "").toList(),
        pairs == 0 ? 0 : first / pairs - 0.5,
        calls);
  }

  private static double[] scores(double[][] won) {
    int n = won.length;
    if (n == 1) return new double[] {0.5};
    var scores = new double[n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        if (i != j) scores[i] += (won[i][j] + 1 - won[j][i]) / (2 * (n - 1));
      }
    }
    return scores;
  }

  private List<Pair> pairs(Transcripts transcripts) {
    var pairs = new ArrayList<Pair>();
    int n = transcripts.distinct().size();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        if (i != j) pairs.add(new Pair(i, j, request(transcripts, i, j)));
      }
    }
    return pairs;
  }

  /// Asks about the pairs and notes who won.
  ///
  /// @return those that were not answered
  private List<Pair> ask(List<Pair> pairs, double[][] won) {
    var answers = model.completeAll(pairs.stream().map(Pair::request).toList());
    var unanswered = new ArrayList<Pair>();
    for (int i = 0; i < pairs.size(); i++) {
      var pair = pairs.get(i);
      double first = read(answers.get(i));
      if (first < 0) {
        unanswered.add(pair);
        continue;
      }
      won[pair.first()][pair.second()] = first;
    }
    return unanswered;
  }

  /// 1 if the first is better, 0 if the second is, 0.5 for a draw; −1 for no answer.
  private static double read(Supplier<Completion> answer) {
    try {
      var text = answer.get().message().text().strip().toUpperCase(Locale.ROOT);
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
    var told = new StringBuilder();
    var context = new ArrayList<>(transcripts.common());
    while (!context.isEmpty() && context.getFirst().path("role").asString("").equals("system")) {
      told.append(context.removeFirst().path("content").asString("")).append('\n');
    }
    if (!told.isEmpty()) told.insert(0, "\nWhat both were told:\n");
    List<String> parts = new ArrayList<>();
    if (!context.isEmpty()) {
      parts.add("<context>\n" + Transcripts.text(context) + "</context>");
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
                    + told
                    + "\nAnswer with A, B, or = if neither is."));
    messages.add(Json.object().put("role", "user").put("content", String.join("\n", parts)));
    var request = ChatRequest.of("judge", messages, null);
    request.json().put("temperature", 0).put("max_tokens", 4);
    return request;
  }
}

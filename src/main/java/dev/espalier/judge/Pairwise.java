package dev.espalier.judge;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.env.TrajectoryGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A judge that is shown two attempts at a time and says which is better: for models too small for
/// lists.
///
/// Every pair is shown in both orders, so that a liking for the first place makes a draw and not a
/// winner; an attempt's score is the fraction of its comparisons that it won, a draw being half.
/// Some pairs are asked about at once. What the agent is told in every task is in the judge's
/// system message, where it is read once and may be pruned from a judge that is an adapter.
///
/// @param model the judge; it answers `A`, `B` or `=`
/// @param name tells it from other judges, in the label of its verdicts
/// @param retries how often an answer that is none of these is asked for again
public record Pairwise(ChatModel model, String name, Rubric rubric, int retries) implements Judge {
  private static final int AT_ONCE = 4; // of a group; a provider should not be stormed
  private static final int LONGEST_SHOWN = 60; // of an answer that is none

  private record Pair(int first, int second, ChatRequest request) {}

  @Override
  public Verdict judge(TrajectoryGroup group) {
    var transcripts = Transcripts.of(group);
    int n = transcripts.distinct().size();
    var won = new double[n][n]; // by the one that was shown first, and the other
    int calls = 0;
    var open = pairs(transcripts);
    int pairs = open.size();
    var faults = new ArrayList<String>();
    for (int trial = 0; trial <= retries && !open.isEmpty(); trial++) {
      var left = new ArrayList<Pair>();
      for (int i = 0; i < open.size(); i += AT_ONCE) {
        left.addAll(ask(open.subList(i, Math.min(open.size(), i + AT_ONCE)), won, faults));
      }
      calls += open.size();
      open = left;
    }
    if (!open.isEmpty()) {
      throw new JudgeException(
          "no answer of A, B or = on %d pairs after %d trials: %s"
              .formatted(open.size(), retries + 1, faults.getLast()));
    }
    var scores = scores(won);
    double first = Arrays.stream(won).flatMapToDouble(Arrays::stream).sum();
    return new Verdict(
        rubric.version(name, "pairs"),
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

  /// Asks about the pairs and notes who won, or what was wrong with the answer.
  ///
  /// @return those that were not answered
  private List<Pair> ask(List<Pair> pairs, double[][] won, List<String> faults) {
    var answers = model.completeAll(pairs.stream().map(Pair::request).toList());
    var unanswered = new ArrayList<Pair>();
    for (int i = 0; i < pairs.size(); i++) {
      var pair = pairs.get(i);
      try {
        won[pair.first()][pair.second()] = read(answers.get(i).get().message().text());
      } catch (JudgeException | ChatException e) {
        unanswered.add(pair);
        faults.add(String.valueOf(e.getMessage()));
      }
    }
    return unanswered;
  }

  /// 1 if the first is better, 0 if the second is, 0.5 for a draw.
  private static double read(String answer) {
    return switch (answer.strip().toUpperCase(Locale.ROOT)) {
      case "A" -> 1;
      case "B" -> 0;
      case "=" -> 0.5;
      default -> throw new JudgeException("it says \"%s\"".formatted(shortened(answer.strip())));
    };
  }

  private static String shortened(String answer) {
    return answer.length() <= LONGEST_SHOWN ? answer : answer.substring(0, LONGEST_SHOWN) + "…";
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

package dev.espalier.rl;

import dev.espalier.chat.Completion;
import dev.espalier.chat.TokenTrace;
import dev.espalier.env.Trajectory;
import dev.espalier.train.PackedRow;
import dev.espalier.train.Packer;
import dev.espalier.train.PolicyLoss;
import dev.espalier.train.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;

/// What a step learns from: the tokens that the policy sampled in its attempts, and nothing else of
/// what was said.
///
/// Turns of an attempt make one sequence as long as each prompt continues the one before, token by
/// token; a template that rewrites what was said starts another. Text is never tokenised again.
///
/// @param attempts in order
/// @param samples their sequences, in the attempts' order
record Experience(List<Trajectory> attempts, List<Sample> samples) {
  private static final double MOST = 2; // that a token may count for its policy being behind

  /// A sequence of an attempt.
  ///
  /// @param attempt its place among the attempts
  /// @param first how many tokens of the attempt were sampled before this sequence
  /// @param ids int[T]
  /// @param sampled whether the policy sampled the token, boolean[T]
  /// @param logprobs log π with which it did, float[T], 0 elsewhere
  record Sample(int attempt, int first, int[] ids, boolean[] sampled, float[] logprobs) {
    int count() {
      int count = 0;
      for (boolean one : sampled) if (one) count++;
      return count;
    }
  }

  static Experience of(List<Trajectory> attempts) {
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < attempts.size(); i++) add(samples, i, attempts.get(i).turns());
    return new Experience(List.copyOf(attempts), List.copyOf(samples));
  }

  private static void add(List<Sample> samples, int attempt, List<Completion> turns) {
    int sampled = 0;
    int first = samples.size();
    for (var turn : turns) {
      var trace = turn.trace();
      if (trace == null) {
        throw new IllegalArgumentException(
            "a policy that is to learn must be an adapter here: its answer has no token trace");
      }
      if (trace.ids().length == 0) continue;
      boolean goesOn = samples.size() > first && starts(samples.getLast().ids(), trace.promptIds());
      var before =
          goesOn
              ? samples.removeLast()
              : new Sample(attempt, sampled, new int[0], new boolean[0], new float[0]);
      samples.add(longer(before, trace));
      sampled += trace.ids().length;
    }
  }

  private static boolean starts(int[] start, int[] whole) {
    return start.length <= whole.length
        && Arrays.equals(start, 0, start.length, whole, 0, start.length);
  }

  private static Sample longer(Sample before, TokenTrace trace) {
    int prompt = trace.promptIds().length;
    int length = prompt + trace.ids().length;
    var ids = Arrays.copyOf(trace.promptIds(), length);
    var sampled = Arrays.copyOf(before.sampled(), length);
    var logprobs = Arrays.copyOf(before.logprobs(), length);
    System.arraycopy(trace.ids(), 0, ids, prompt, trace.ids().length);
    System.arraycopy(trace.logprobs(), 0, logprobs, prompt, trace.ids().length);
    Arrays.fill(sampled, prompt, length, true);
    return new Sample(before.attempt(), before.first(), ids, sampled, logprobs);
  }

  /// How many tokens were sampled in each attempt.
  int[] lengths() {
    var lengths = new int[attempts.size()];
    for (var sample : samples) lengths[sample.attempt()] += sample.count();
    return lengths;
  }

  /// The rows to train on, each token weighted.
  ///
  /// @param share that all of them together have in a mean
  /// @param most the most tokens that an attempt may have
  /// @param room the most tokens of a row
  List<PackedRow> rows(Weighting weighting, double share, int most, int room) {
    var lengths = lengths();
    var sequences = new ArrayList<Sequence>();
    for (var sample : samples) {
      float weight = (float) (share * weighting.of(lengths[sample.attempt()], lengths, most));
      var weights = new float[sample.ids().length];
      for (int t = 0; t < weights.length; t++) weights[t] = sample.sampled()[t] ? weight : 0;
      sequences.add(new Sequence(sample.ids(), weights));
    }
    return Packer.pack(sequences, room);
  }

  /// Predictions of rows by attempt, in the order in which its tokens were sampled.
  float[][] byAttempt(List<PackedRow> rows, float[][] predictions) {
    var lengths = lengths();
    var out = new float[lengths.length][];
    for (int i = 0; i < out.length; i++) out[i] = new float[lengths[i]];
    for (int r = 0; r < predictions.length; r++) {
      for (var source : rows.get(r).sources()) {
        var sample = samples.get(source.sequence());
        out[sample.attempt()][order(sample, source.token())] = predictions[r][source.prediction()];
      }
    }
    return out;
  }

  /// Numbers by attempt as numbers of a row's sources.
  float[] bySource(PackedRow row, float[][] numbers) {
    var out = new float[row.sources().size()];
    for (int i = 0; i < out.length; i++) {
      var source = row.sources().get(i);
      var sample = samples.get(source.sequence());
      out[i] = numbers[sample.attempt()][order(sample, source.token())];
    }
    return out;
  }

  /// log π with which the tokens were sampled, by attempt and in their order.
  float[][] sampled() {
    var lengths = lengths();
    var out = new float[lengths.length][];
    for (int i = 0; i < out.length; i++) out[i] = new float[lengths[i]];
    for (var sample : samples) {
      int n = sample.first();
      for (int t = 0; t < sample.ids().length; t++) {
        if (sample.sampled()[t]) out[sample.attempt()][n++] = sample.logprobs()[t];
      }
    }
    return out;
  }

  /// What the loss has to know of a row's sources.
  ///
  /// A token of a policy that was behind counts by how much likelier it is to the one that learns,
  /// twice at most, and the ratio that is clipped is to the latter (AReaL, arXiv 2505.24298).
  ///
  /// @param advantages by attempt, in the order in which tokens were sampled
  /// @param now log π of the policy before the step, likewise
  /// @param reference log π of the reference policy, likewise
  PolicyLoss.Tokens tokens(
      PackedRow row, double[][] advantages, float[][] now, float[][] reference) {
    int n = row.sources().size();
    var before = new float[n];
    var other = new float[n];
    var weights = row.weights();
    var better = new float[n];
    var within = new int[n];
    var places = new HashMap<Integer, Integer>(); // of sequences in the row
    for (int i = 0; i < n; i++) {
      var source = row.sources().get(i);
      var sample = samples.get(source.sequence());
      int order = order(sample, source.token());
      before[i] = now[sample.attempt()][order];
      other[i] = reference[sample.attempt()][order];
      double likelier = Math.exp((double) before[i] - sample.logprobs()[source.token()]);
      weights[i] *= (float) Math.min(likelier, MOST);
      better[i] = (float) advantages[sample.attempt()][order];
      within[i] = places.computeIfAbsent(source.sequence(), sequence -> places.size());
    }
    return new PolicyLoss.Tokens(before, other, better, weights, within);
  }

  /// The place of a sampled token among those of its attempt.
  private static int order(Sample sample, int token) {
    int order = sample.first();
    for (int t = 0; t < token; t++) if (sample.sampled()[t]) order++;
    return order;
  }
}

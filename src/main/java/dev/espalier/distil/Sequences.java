package dev.espalier.distil;

import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.TrainingSequence;
import dev.espalier.train.Row;
import dev.espalier.train.TrainingException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/// Conversations as token sequences, shuffled and packed into the rows of each step.
///
/// @param all every sequence has at least one token that carries loss
public record Sequences(List<TrainingSequence> all) {
  private static final int SHORTEST_ROW = 512;

  public Sequences {
    all = List.copyOf(all);
  }

  /// Turns conversations into tokens; the loss is on completions only, and `weight` is honoured.
  ///
  /// @throws TrainingException if one has no token to learn, or is longer than the context
  public static Sequences of(List<ChatRequest> conversations, ChatFormat format, int context) {
    var out = new ArrayList<TrainingSequence>();
    for (int i = 0; i < conversations.size(); i++) {
      for (var sequence : format.encode(conversations.get(i))) {
        if (sequence.trainedTokens() == 0) {
          throw new TrainingException(
              "conversation %d has no token to learn: is every answer's weight 0?"
                  .formatted(i + 1));
        }
        if (sequence.length() > context) {
          throw new TrainingException(
              "conversation %d has %d tokens, but the model's context is %d"
                  .formatted(i + 1, sequence.length(), context));
        }
        out.add(sequence);
      }
    }
    return new Sequences(out);
  }

  /// How many tokens carry loss.
  public long trainedTokens() {
    return all.stream().mapToLong(TrainingSequence::trainedTokens).sum();
  }

  /// All tokens.
  public long tokens() {
    return all.stream().mapToLong(TrainingSequence::length).sum();
  }

  /// The tokens of the longest row that packing makes.
  int longestRow() {
    int longest = all.stream().mapToInt(TrainingSequence::length).max().orElse(0);
    return Math.max(SHORTEST_ROW, longest);
  }

  int stepsAnEpoch(int batch) {
    return (all.size() + batch - 1) / batch;
  }

  /// The rows of one step: a function of the seed and the step alone.
  List<Row> step(int step, int batch, long seed) {
    int steps = stepsAnEpoch(batch);
    var order = new ArrayList<>(all);
    Collections.shuffle(order, new Random(seed * 1_000_003 + step / steps));
    int from = step % steps * batch;
    return pack(order.subList(from, Math.min(from + batch, order.size())));
  }

  /// First fit, longest first, into rows of one length.
  static List<Row> pack(List<TrainingSequence> sequences) {
    var longestFirst = new ArrayList<>(sequences);
    longestFirst.sort(Comparator.comparingInt(TrainingSequence::length).reversed());
    int room = Math.max(SHORTEST_ROW, longestFirst.getFirst().length());
    var bins = new ArrayList<List<TrainingSequence>>();
    var used = new ArrayList<Integer>();
    for (var sequence : longestFirst) {
      int bin = 0;
      while (bin < bins.size() && used.get(bin) + sequence.length() > room) bin++;
      if (bin == bins.size()) {
        bins.add(new ArrayList<>());
        used.add(0);
      }
      bins.get(bin).add(sequence);
      used.set(bin, used.get(bin) + sequence.length());
    }
    int length = Collections.max(used);
    return bins.stream().map(bin -> row(bin, length)).toList();
  }

  private static Row row(List<TrainingSequence> sequences, int length) {
    var ids = new int[length];
    var weights = new float[length];
    var numbers = new int[length];
    int at = 0;
    for (int s = 0; s < sequences.size(); s++) {
      var sequence = sequences.get(s);
      for (int t = 0; t < sequence.length(); t++, at++) {
        ids[at] = sequence.ids()[t];
        weights[at] = t > 0 && sequence.trained()[t] ? 1 : 0;
        numbers[at] = s;
      }
    }
    for (; at < length; at++) numbers[at] = -1;
    return new Row(ids, weights, numbers);
  }
}

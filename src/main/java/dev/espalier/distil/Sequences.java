package dev.espalier.distil;

import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Sha256;
import dev.espalier.chat.TrainingSequence;
import dev.espalier.train.PackedRow;
import dev.espalier.train.Packer;
import dev.espalier.train.Row;
import dev.espalier.train.Sequence;
import dev.espalier.train.TrainingException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// Conversations as token sequences, shuffled and packed into the rows of each step.
///
/// @param all every sequence has at least one token that carries loss
public record Sequences(List<TrainingSequence> all) {
  public Sequences {
    all = List.copyOf(all);
  }

  /// Turns conversations into tokens; the loss is on completions only, and `weight` is honoured.
  ///
  /// @throws TrainingException if one has no token to learn, or is longer than the context
  public static Sequences of(List<ChatRequest> conversations, ChatFormat format, int context) {
    var encoded = conversations.parallelStream().map(format::encode).toList();
    var out = new ArrayList<TrainingSequence>();
    for (int i = 0; i < encoded.size(); i++) {
      for (var sequence : encoded.get(i)) {
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

  /// SHA-256 of every token and mark, in order.
  String digest() {
    var hash = new Sha256();
    for (var sequence : all) {
      var bytes = ByteBuffer.allocate(4 + 5 * sequence.length()).putInt(sequence.length());
      for (int t = 0; t < sequence.length(); t++) {
        bytes.putInt(sequence.ids()[t]).put((byte) (sequence.trained()[t] ? 1 : 0));
      }
      hash.add(bytes.array());
    }
    return hash.hex();
  }

  /// The tokens of the longest sequence.
  int longest() {
    return all.stream().mapToInt(TrainingSequence::length).max().orElse(0);
  }

  int stepsAnEpoch(int batch) {
    return (all.size() + batch - 1) / batch;
  }

  /// The rows of one step: a function of the seed and the step alone.
  List<Row> step(int step, int batch, long seed, int room) {
    int steps = stepsAnEpoch(batch);
    var order = new ArrayList<>(all);
    Collections.shuffle(order, new Random(seed * 1_000_003 + step / steps));
    int from = step % steps * batch;
    return pack(order.subList(from, Math.min(from + batch, order.size())), room);
  }

  /// Rows of at most that many tokens, or one sequence.
  static List<Row> pack(List<TrainingSequence> sequences, int room) {
    return Packer.pack(sequences.stream().map(Sequences::weighted).toList(), room).stream()
        .map(PackedRow::row)
        .toList();
  }

  private static Sequence weighted(TrainingSequence sequence) {
    var weights = new float[sequence.length()];
    for (int t = 1; t < weights.length; t++) weights[t] = sequence.trained()[t] ? 1 : 0;
    return new Sequence(sequence.ids(), weights);
  }
}

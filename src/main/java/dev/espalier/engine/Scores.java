package dev.espalier.engine;

import dev.espalier.tensor.Dtype;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// What a batch of positions says of the next token. On the device's thread only.
///
/// All work that grows with the vocabulary is done by libtorch for the whole batch; of plain
/// samples only sums of [#BLOCK] probabilities and the block that was hit are read.
final class Scores {
  private static final int BLOCK = 64;

  private final int vocabulary;
  private final int blocks;
  private final Tensor scaled; // (B, V), float32
  private final FloatPointer logprobs; // likewise
  private final Tensor logprobTensor;
  private @Nullable FloatPointer probabilities; // (B, blocks·BLOCK), zero beyond the vocabulary
  private float[] sums = {}; // (B, blocks)
  private long[] best = {}; // (B)

  /// @param logits (B, V), float32
  /// @param temperatures of each row, above 0
  Scores(Tensor logits, float[] temperatures) {
    vocabulary = (int) logits.size(1);
    blocks = (vocabulary + BLOCK - 1) / BLOCK;
    boolean plain = true;
    for (float temperature : temperatures) plain &= temperature == 1;
    scaled =
        plain ? logits : logits.div(torch.tensor(temperatures, Dtype.F32.options()).view(-1, 1));
    logprobTensor = torch.log_softmax(scaled, -1).contiguous();
    logprobs = new FloatPointer(logprobTensor.data_ptr_float());
  }

  /// log p of a token.
  float logprob(int row, int id) {
    return logprobs.get((long) row * vocabulary + id);
  }

  /// The likeliest token; the first of equals.
  int best(int row) {
    if (best.length == 0) {
      best = new long[(int) scaled.size(0)];
      scaled.argmax(new LongOptional(1), false).data_ptr_long().get(best);
    }
    return (int) best[row];
  }

  /// The likeliest of the tokens with a bit; the first of equals.
  ///
  /// @throws IllegalStateException if none has
  int best(int row, long[] allowed) {
    var all = new float[vocabulary];
    logprobs.position((long) row * vocabulary).get(all);
    logprobs.position(0);
    int best = -1;
    for (int i = 0; i < vocabulary; i++) {
      boolean may = (allowed[i >> 6] >>> i & 1) != 0;
      if (may && (best < 0 || all[i] > all[best])) best = i;
    }
    if (best < 0) throw new IllegalStateException("a grammar that allows no token");
    return best;
  }

  /// The token at which the probabilities of a row, summed from the first on, exceed a part of all.
  ///
  /// @param part from 0, below 1
  int at(int row, double part) {
    var p = probabilities();
    double total = 0;
    for (int i = 0; i < blocks; i++) total += sums[row * blocks + i];
    double left = part * total;
    int block = 0;
    for (; block < blocks - 1 && left >= sums[row * blocks + block]; block++) {
      left -= sums[row * blocks + block];
    }
    int last = block * BLOCK;
    for (int i = block * BLOCK; i < Math.min(vocabulary, (block + 1) * BLOCK); i++) {
      float one = p.get((long) row * blocks * BLOCK + i);
      if (one == 0) continue;
      last = i;
      left -= one;
      if (left < 0) break;
    }
    return last; // where rounding left a crumb, the last that can be
  }

  /// All probabilities of a row.
  double[] probabilities(int row) {
    var some = new float[vocabulary];
    var all = probabilities();
    all.position((long) row * blocks * BLOCK).get(some);
    all.position(0);
    var out = new double[vocabulary];
    for (int i = 0; i < vocabulary; i++) out[i] = some[i];
    return out;
  }

  private FloatPointer probabilities() {
    if (probabilities != null) return probabilities;
    long missing = (long) blocks * BLOCK - vocabulary;
    var p = logprobTensor.exp();
    if (missing > 0) p = torch.constant_pad_nd(p, new long[] {0, missing}, new Scalar(0));
    p = p.contiguous();
    sums = new float[(int) p.size(0) * blocks];
    p.view(-1, blocks, BLOCK)
        .sum(new long[] {2}, false, new ScalarTypeOptional())
        .data_ptr_float()
        .get(sums);
    probabilities = new FloatPointer(p.data_ptr_float());
    return probabilities;
  }
}

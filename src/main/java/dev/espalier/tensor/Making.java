package dev.espalier.tensor;

import dev.espalier.tensor.LowRank.Share;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// What adapters make of rows, share by share, while the product that it is added to is computed.
public final class Making {
  private final List<Share> shares;
  private final long inputs;
  private final long outputs;
  private final AtomicInteger left;

  /// @param inputs where the input lies: (N, in)
  /// @param outputs where it goes, to the same rows: (N, out)
  public Making(List<Share> shares, long inputs, long outputs) {
    this.shares = shares;
    this.inputs = inputs;
    this.outputs = outputs;
    left = new AtomicInteger(shares.size());
  }

  /// Where it goes.
  long outputs() {
    return outputs;
  }

  int shares() {
    return shares.size();
  }

  /// How many multiplications all shares are worth.
  long work() {
    return shares.stream().mapToLong(Share::work).sum();
  }

  /// Makes one share, on the calling thread.
  void make(int number) {
    try {
      var share = shares.get(number);
      share.of().put(inputs, outputs, share.rows());
    } finally {
      left.decrementAndGet();
    }
  }

  /// Waits until all shares are made: others are making them.
  void await() {
    while (left.get() > 0) Thread.onSpinWait();
  }
}

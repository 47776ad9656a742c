package dev.espalier.tensor;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Has the loops over numbers compiled before somebody waits for them: until then the Vector API
/// takes a thousand times as long, and a long prompt seconds. What is compiled so is also a tenth
/// faster than what real work has compiled, whose first loops are in each other's code.
public final class WarmUp {
  private static final int ROUNDS = 60;
  private static final int EXERCISES = 100; // of a round; all are more than makes Java compile
  private static final Duration IDLE = Duration.ofMillis(500);

  /// Whether it waits until the device has nothing to do, as the launcher asks of an `up` that
  /// starts from what an earlier one had compiled: the first answer comes a fifth earlier.
  private static final boolean WAITS = "idle".equals(System.getProperty("espalier.warm-up"));

  private static final Set<Dtype> WARM = ConcurrentHashMap.newKeySet();

  private WarmUp() {}

  /// Begins with the loops over numbers of a type, once, on a thread of its own.
  public static void begin(Dtype dtype) {
    if (!WARM.add(dtype)) return;
    Thread.ofPlatform().daemon().name("espalier-warm-up").start(() -> exercise(dtype));
  }

  private static void exercise(Dtype dtype) {
    var rows = new Rows(dtype);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        if (WAITS) Device.cpu().awaitIdle(IDLE);
        rows.exercise(EXERCISES);
        LowRank.exercise(dtype, EXERCISES / 4);
        if (Lanes.fit()) LaneWarmUp.exercise(dtype, EXERCISES / 4);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}

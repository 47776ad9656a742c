package dev.espalier.tensor;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Has the loops over numbers compiled before somebody waits for them: until then the Vector API
/// takes a thousand times as long, and a long prompt seconds.
///
/// On a thread of its own, and while the device has nothing to do: what it does compiles the same
/// loops, and both at once would only take each other's time.
public final class WarmUp {
  private static final int ROUNDS = 60;
  private static final int EXERCISES = 100; // of a round; all are more than makes Java compile
  private static final Duration IDLE = Duration.ofMillis(500);

  /// Whether later runs start from what Java learns in this one, as the launcher says: then it
  /// learns all at once, for nobody knows how long it goes on.
  private static final boolean RECORDS = Boolean.getBoolean("espalier.records");

  private static final Set<Dtype> WARM = ConcurrentHashMap.newKeySet();

  private WarmUp() {}

  /// Begins with the loops over numbers of a type, once.
  public static void begin(Dtype dtype) {
    if (!WARM.add(dtype)) return;
    Thread.ofPlatform().daemon().name("espalier-warm-up").start(() -> exercise(dtype));
  }

  private static void exercise(Dtype dtype) {
    var rows = new Rows(dtype);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        if (!RECORDS) Device.cpu().awaitIdle(IDLE);
        rows.exercise(EXERCISES);
        LowRank.exercise(dtype, EXERCISES / 4);
        if (Lanes.fit()) LaneWarmUp.exercise(dtype, EXERCISES / 4);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}

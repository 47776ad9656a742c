package dev.espalier.tensor;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A platform thread that runs libtorch: one that has the processor's cores, and one beside it for
/// what is fetched from disk meanwhile.
///
/// Work is queued from any thread, virtual ones too, and runs one unit at a time: decoding first,
/// then training, each in the order it came. Units should be short; those of training give way to
/// decoding at their end, and in between where they say so ([#giveWay]).
public final class Device {
  /// What goes first when both wait.
  public enum Urgency {
    DECODE,
    TRAIN
  }

  private record Unit(Urgency urgency, long order, Runnable work) implements Comparable<Unit> {
    @Override
    public int compareTo(Unit other) {
      int byUrgency = urgency.compareTo(other.urgency);
      return byUrgency != 0 ? byUrgency : Long.compare(order, other.order);
    }
  }

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /// How long a running stream takes at most to ask for its next step.
  private static final long GRACE = Duration.ofMillis(2).toNanos();

  private static final long NAP = 50_000;
  private static final int CUT_OFF = 143; // as if ended by SIGTERM
  private static final Device CPU = new Device("espalier-cpu", true);

  private static final class Loading {
    static final Device LOADER = new Device("espalier-loader", false);
  }

  private final PriorityBlockingQueue<Unit> queue = new PriorityBlockingQueue<>();
  private final AtomicLong order = new AtomicLong();
  private final Thread thread;
  private boolean wantsCores; // this and the next two on the thread only
  private boolean decodes; // whether streams were running when training last gave way
  private long since; // when training began, or went on
  private volatile boolean works;
  private volatile long ended = System.nanoTime(); // the last unit

  private Device(String name, boolean cores) {
    wantsCores = cores;
    thread = Thread.ofPlatform().daemon().name(name).unstarted(this::work);
    thread.start();
    Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::stop));
  }

  /// Lets the running unit end before the process unloads libtorch under it, which would crash; one
  /// that takes too long is cut off with the whole process, which leaves files as `kill -9` would.
  private void stop() {
    thread.interrupt();
    try {
      if (!thread.join(PATIENCE)) Runtime.getRuntime().halt(CUT_OFF);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// The processor's device, shared by the whole process.
  public static Device cpu() {
    return CPU;
  }

  /// The one that fetches, on one core: streams do not wait for it.
  public static Device loader() {
    return Loading.LOADER;
  }

  /// Runs a unit on the device and waits for its result; what it throws is thrown here.
  ///
  /// A unit that asks again is run at once, so that code on the device need not know where it is.
  public <T> T run(Urgency urgency, Supplier<T> work) {
    if (Thread.currentThread() == thread) return inScope(work);
    var result = new CompletableFuture<T>();
    queue.add(
        new Unit(
            urgency,
            order.getAndIncrement(),
            () -> {
              try {
                result.complete(inScope(work));
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            }));
    try {
      return result.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        cause.addSuppressed(new IllegalStateException("called from here"));
        throw cause;
      }
      if (e.getCause() instanceof Error cause) throw cause;
      throw e;
    }
  }

  /// As [#run(Urgency, Supplier)] for work without a result.
  public void run(Urgency urgency, Runnable work) {
    run(
        urgency,
        () -> {
          work.run();
          return true;
        });
  }

  /// Loads libtorch beside whatever the caller goes on with. Where that fails, whoever needs it is
  /// told.
  public void prepare() {
    Thread.ofVirtual()
        .start(() -> {
          try {
            run(Urgency.DECODE, () -> {});
          } catch (IllegalStateException | UncheckedIOException | LinkageError _) {
            return;
          }
        });
  }

  /// Waits until it has had nothing to do for so long.
  void awaitIdle(Duration idle) throws InterruptedException {
    while (true) {
      long left = idle.toNanos() - (works ? 0 : System.nanoTime() - ended);
      if (left <= 0) return;
      Thread.sleep(Duration.ofNanos(left));
    }
  }

  /// How many units wait.
  int waiting() {
    return queue.size();
  }

  private <T> T inScope(Supplier<T> work) {
    try (var scope = new Scope()) {
      if (wantsCores) Native.takeCores();
      wantsCores = false;
      return work.get();
    }
  }

  /// Lets decoding have as much time as training had since it began or last gave way, if anybody
  /// decodes: a stream is held up by no more than what training does between two of these.
  ///
  /// On the device's thread, within a unit of training, where no other unit can do harm.
  public void giveWay() {
    if (Thread.currentThread() != thread) throw new IllegalStateException("not on the device");
    long left = System.nanoTime() - since;
    while (left > 0) {
      var unit = nextDecode(decodes ? GRACE : 0);
      decodes = unit != null;
      if (unit == null) break;
      long begin = System.nanoTime();
      unit.work().run();
      left -= System.nanoTime() - begin;
    }
    since = System.nanoTime();
  }

  private @Nullable Unit nextDecode(long wait) {
    long until = System.nanoTime() + wait;
    while (true) {
      var first = queue.peek();
      if (first != null && first.urgency() == Urgency.DECODE) return queue.poll();
      if (System.nanoTime() >= until || thread.isInterrupted()) return null;
      LockSupport.parkNanos(NAP);
    }
  }

  private void work() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        var unit = queue.take();
        works = true;
        since = System.nanoTime();
        unit.work().run();
        if (unit.urgency() == Urgency.TRAIN) giveWay();
        ended = System.nanoTime();
        works = false;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}

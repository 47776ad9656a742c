package dev.espalier.tensor;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// The device's thread and its helpers, who share the blocks of a piece of work.
///
/// Whoever is free takes the next block, so that a helper that comes late costs nothing. Helpers
/// watch for work for a moment before they sleep, for waking one takes as long as many a product.
public final class Crew {
  private static final long WATCH = 100_000; // nanoseconds
  private static final long WORTH = 1 << 18; // multiplications

  private static final class OfDevice {
    static final Crew CREW = new Crew(Native.cores());
  }

  private final Helper[] helpers;
  private volatile Job job = new Job(0, block -> {});

  private static final class Job {
    private final int blocks;
    private final IntConsumer work;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private volatile @Nullable Throwable failed;

    Job(int blocks, IntConsumer work) {
      this.blocks = blocks;
      this.work = work;
    }

    void help() {
      for (int block = next.getAndIncrement(); block < blocks; block = next.getAndIncrement()) {
        try {
          work.accept(block);
        } catch (RuntimeException | Error e) {
          failed = e;
        }
        done.incrementAndGet();
      }
    }
  }

  private final class Helper implements Runnable {
    final Thread thread;
    volatile boolean sleeps;

    Helper(int number) {
      thread = Thread.ofPlatform().daemon().name("espalier-helper-" + number).unstarted(this);
    }

    @Override
    public void run() {
      var last = job;
      long since = System.nanoTime();
      while (!Thread.currentThread().isInterrupted()) {
        var now = job;
        if (now != last) {
          now.help();
          last = now;
          since = System.nanoTime();
        } else if (System.nanoTime() - since < WATCH) {
          Thread.onSpinWait();
        } else {
          sleeps = true;
          if (job == last) LockSupport.park(Crew.this);
          sleeps = false;
          since = System.nanoTime();
        }
      }
    }
  }

  /// As many threads as libtorch has there.
  public static Crew device() {
    return OfDevice.CREW;
  }

  /// @param size how many threads work, the caller's included
  Crew(int size) {
    helpers = new Helper[size - 1];
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper(i + 1);
      helpers[i].thread.start();
    }
  }

  /// How many threads work.
  public int size() {
    return helpers.length + 1;
  }

  /// Does all blocks and returns when they are done. From one thread at a time.
  ///
  /// @param block is handed the number of a block, from 0, on any of the threads; one that throws
  ///   makes this throw
  public void run(int blocks, IntConsumer block) {
    run(blocks, Long.MAX_VALUE, block);
  }

  /// The same where it may be too little work to share: handing it over takes microseconds.
  ///
  /// @param work how many multiplications all blocks are worth
  public void run(int blocks, long work, IntConsumer block) {
    if (work < WORTH || helpers.length == 0) {
      for (int i = 0; i < blocks; i++) block.accept(i);
      return;
    }
    var all = new Job(blocks, block);
    job = all;
    for (var helper : helpers) if (helper.sleeps) LockSupport.unpark(helper.thread);
    all.help();
    while (all.done.get() < blocks) Thread.onSpinWait();
    if (all.failed != null) throw new IllegalStateException("a block failed", all.failed);
  }
}

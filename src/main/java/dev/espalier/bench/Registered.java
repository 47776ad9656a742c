package dev.espalier.bench;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Sampling;
import dev.espalier.engine.AdapterCache;
import dev.espalier.engine.Engine;
import dev.espalier.engine.Lease;
import dev.espalier.model.WholeFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ObjectNode;

/// Clients that ask one after the other for adapters of which few are popular (the nth is asked for
/// in proportion to 1/n), out of 1,000 and out of five, loaded from disk as they are needed.
final class Registered {
  private static final int CLIENTS = 32;
  private static final int RANK = 16;
  private static final int MANY = 1000;
  private static final int FEW = 5;
  private static final long MEMORY = 1L << 30; // as `up` has by default

  private Registered() {}

  /// @param bandwidth bytes a second that are read
  static void measure(Subject subject, int runs, double bandwidth, ObjectNode json) {
    try {
      var folder = Files.createTempDirectory("espalier-adapter");
      subject.save(folder, RANK);
      var kept = new double[runs];
      var limit = new double[runs];
      var misses = new double[runs];
      var load = new double[runs];
      for (int i = 0; i < runs; i++) {
        try (var many = new AdapterCache(subject.base(), MEMORY, Set.of());
            var few = new AdapterCache(subject.base(), MEMORY, Set.of())) {
          load[i] = load(many, folder);
          warm(many, folder, MANY);
          warm(few, folder, FEW);
          long before = many.counts().misses();
          double ofMany = rate(subject, many, folder, MANY, runs + i);
          misses[i] = (many.counts().misses() - before) / (double) requests(subject);
          double ofFew = rate(subject, few, folder, FEW, runs + i);
          kept[i] = ofMany / ofFew;
          double more = (together(MANY) - together(FEW)) * bytes(few) / bandwidth;
          limit[i] = AdaptersBench.left(CLIENTS / ofFew, more);
        }
      }
      json.put("registered_1000_vs_5", Machine.median(kept))
          .put("registered_1000_vs_5_limit", Machine.median(limit))
          .put("registered_1000_misses", Machine.median(misses))
          .put("load_ms", Machine.median(load));
      WholeFolder.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("no room for an adapter", e);
    }
  }

  private static double load(AdapterCache cache, Path folder) {
    long begin = System.nanoTime();
    cache.use("first", "first", folder).giveBack().run();
    return (System.nanoTime() - begin) / 1e6;
  }

  /// Loads the most popular ones that fit.
  private static void warm(AdapterCache cache, Path folder, int registered) {
    use(cache, folder, registered).giveBack().run();
    for (int n = (int) Math.min(registered, MEMORY / bytes(cache)); n > 0; n--) {
      use(cache, folder, n).giveBack().run();
    }
  }

  /// Of an adapter in memory.
  private static long bytes(AdapterCache cache) {
    return cache.counts().bytes() / cache.counts().loaded();
  }

  /// How many adapters the clients' requests of a moment are for, in the mean.
  private static double together(int registered) {
    double all = weights(registered).sum();
    return weights(registered).map(weight -> 1 - Math.pow(1 - weight / all, CLIENTS)).sum();
  }

  /// How often each is asked for.
  private static DoubleStream weights(int registered) {
    return IntStream.rangeClosed(1, registered).mapToDouble(n -> 1.0 / n);
  }

  private static Lease use(AdapterCache cache, Path folder, int number) {
    var name = "adapter-" + number;
    return cache.use(name, name, folder);
  }

  private static int requests(Subject subject) {
    return CLIENTS * (subject.size().equals("s") ? 8 : 2);
  }

  /// Tokens a second.
  private static double rate(
      Subject subject, AdapterCache cache, Path folder, int registered, long seed) {
    var popular = popular(registered, requests(subject), new Random(seed));
    var next = new AtomicLong();
    long begin = System.nanoTime();
    try (var engine = new Engine(subject.base(), CLIENTS);
        var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      var work =
          IntStream.range(0, CLIENTS)
              .<Future<?>>mapToObj(client ->
                  clients.submit(() -> {
                    for (long i = next.getAndIncrement();
                        i < popular.length;
                        i = next.getAndIncrement()) {
                      ask(subject, engine, cache, folder, popular[(int) i], seed + i);
                    }
                  }))
              .toList();
      for (var one : work) one.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ChatException(499, "the benchmark was interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a client failed", e);
    }
    return popular.length * subject.length() / ((System.nanoTime() - begin) / 1e9);
  }

  private static int[] popular(int registered, int count, Random random) {
    double all = weights(registered).sum();
    return random
        .doubles(count)
        .mapToInt(part -> {
          double left = part * all;
          int n = 1;
          for (; n < registered && left > 1.0 / n; n++) left -= 1.0 / n;
          return n;
        })
        .toArray();
  }

  private static void ask(
      Subject subject, Engine engine, AdapterCache cache, Path folder, int adapter, long seed) {
    var lease = use(cache, folder, adapter);
    var tokens =
        engine.generate(
            subject.text(subject.length(), seed),
            Sampling.greedy(subject.length()),
            Set.of(),
            lease.adapter());
    for (var token = tokens.next(); token != null; token = tokens.next()) {
      if (token.id() < 0) throw new IllegalStateException("a token without an id");
    }
    lease.giveBack().run();
  }
}

package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.Penalties;
import dev.espalier.chat.Sampling;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.model.Peft;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random load on the built-in model for `-Despalier.minutes` (one): arrivals, lengths, clients
/// that leave, answers by a schema, conversations that go on, adapters of three ranks that are
/// loaded and evicted, and one that is replaced every second.
final class EngineSoakTest {
  private static final Duration LENGTH = Duration.ofMinutes(Long.getLong("espalier.minutes", 1));

  /// Less than two steps of the allocator, which takes 64 MiB at a time; a leak takes more in
  /// minutes.
  private static final long MORE = 96;

  private static final int CLIENTS = 24;
  private static final int SLOTS = 16;
  private static final int ADAPTERS = 12;
  private static final int STARTS = 4;

  @TempDir private Path folder = Path.of("");

  private final AtomicLong ended = new AtomicLong();
  private final AtomicLong left = new AtomicLong();
  private final AtomicLong tokens = new AtomicLong();
  private final AtomicLong version = new AtomicLong();
  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

  @Test
  @Tag("slow")
  void keepsItsMemoryItsPlacesAndItsStreams() throws InterruptedException {
    long seed = new Random().nextLong();
    try (var base = BaseModel.load(Path.of("models/espalier-6m"))) {
      for (int i = 0; i < ADAPTERS; i++) save(base, i);
      long some;
      try (var one = Adapter.load("one", "one", folder.resolve("1"), base)) {
        some = 4 * one.lora().bytes();
      }
      try (var cache = new AdapterCache(base, some, Set.of());
          var engine = new Engine(base, SLOTS)) {
        var resident = load(seed, engine, cache);
        assertThat(failures).as("seed %d", seed).isEmpty();
        everyPlaceIsFree(engine);
        int half = resident.size() / 2;
        long early =
            resident.subList(half / 2, half + 1).stream().mapToLong(it -> it).max().orElse(0);
        long late =
            resident.subList(half, resident.size()).stream().mapToLong(it -> it).max().orElse(0);
        assertThat(late).as("resident MiB of %s", resident).isLessThan(early + MORE);
      }
    }
  }

  private void save(BaseModel base, int number) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              var config = LoraConfig.ofRank(List.of(4, 16, 32).get(number % 3));
              try (var lora = Lora.fresh(base.shape(), config, number)) {
                Peft.save(folder.resolve("" + number), lora, base.name());
              }
            });
  }

  /// Runs the clients and returns the resident memory of each twentieth of the time, in MiB.
  private List<Long> load(long seed, Engine engine, AdapterCache cache)
      throws InterruptedException {
    long end = System.nanoTime() + LENGTH.toNanos();
    var clients = new ArrayList<Thread>();
    for (int i = 0; i < CLIENTS; i++) {
      var random = new Random(seed + i);
      clients.add(Thread.ofVirtual().start(() -> client(random, engine, cache, end)));
    }
    var resident = new ArrayList<Long>();
    var swaps = Thread.ofVirtual().start(() -> swap(end));
    while (System.nanoTime() < end) {
      Thread.sleep(LENGTH.dividedBy(20));
      resident.add(residentMiB());
      var counts = cache.counts();
      System.out.printf(
          "%d MiB, %d ended, %d left, %d tokens, %d loads, %d evicted, %d swaps%n",
          resident.getLast(),
          ended.get(),
          left.get(),
          tokens.get(),
          counts.misses(),
          counts.evicted(),
          version.get());
    }
    for (var client : clients) {
      assertThat(client.join(Duration.ofMinutes(2))).as("a stream that is stuck").isTrue();
    }
    swaps.join();
    return resident;
  }

  private void swap(long end) {
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
      version.incrementAndGet();
    }
  }

  private void client(Random random, Engine engine, AdapterCache cache, long end) {
    while (System.nanoTime() < end && failures.isEmpty()) {
      try {
        if (random.nextInt(8) == 0) constrained(random, engine, cache);
        else free(random, engine, cache);
        ended.incrementAndGet();
        LockSupport.parkNanos(Duration.ofMillis(random.nextInt(300)).toNanos());
      } catch (Throwable e) {
        failures.add(e);
      }
    }
  }

  private Lease lease(Random random, AdapterCache cache) {
    int number = (int) (ADAPTERS * Math.pow(random.nextDouble(), 2));
    var path = folder.resolve("" + number);
    if (number > 0) return cache.use("a" + number, "a" + number, path);
    return cache.use("policy", "policy@" + version.get(), path);
  }

  private void constrained(Random random, Engine engine, AdapterCache cache) {
    var request = Json.object().put("max_tokens", 1 + random.nextInt(60)).put("temperature", 1);
    request.putObject("response_format").put("type", "json_object");
    request.putArray("messages").addObject().put("role", "user").put("content", "Tell me!");
    var model = new LocalModel(engine, () -> lease(random, cache));
    tokens.addAndGet(model.complete(new ChatRequest(request)).usage().completionTokens());
  }

  private void free(Random random, Engine engine, AdapterCache cache) {
    var prompt = prompt(random, 1 + random.nextInt(random.nextInt(10) == 0 ? 900 : 200));
    var lease = random.nextInt(4) == 0 ? null : lease(random, cache);
    var sampling =
        new Sampling(1, 1, 0, 0, 1 + random.nextInt(120), null, List.of(), Penalties.NONE, -1);
    var generation = engine.prepare(prompt, sampling, Set.of(), lease, null);
    engine.queue(List.of(generation));
    int leaves = random.nextInt(3) == 0 ? random.nextInt(40) : Integer.MAX_VALUE;
    int got = 0;
    while (generation.next() != null) {
      tokens.incrementAndGet();
      if (got++ != leaves) continue;
      generation.cancel();
      left.incrementAndGet();
    }
  }

  /// Some prompts start as others do.
  private static int[] prompt(Random random, int length) {
    var prompt = random.ints(length, 300, 4000).toArray();
    if (random.nextBoolean()) {
      var start = new Random(random.nextInt(STARTS)).ints(150, 300, 4000).toArray();
      System.arraycopy(start, 0, prompt, 0, Math.min(length - 1, start.length));
    }
    return prompt;
  }

  /// As many streams as there are places run at once, to their ends.
  private static void everyPlaceIsFree(Engine engine) {
    var all = new ArrayList<Generation>();
    for (int i = 0; i < SLOTS; i++) {
      all.add(engine.prepare(new int[] {300 + i}, Sampling.greedy(50), Set.of(), null, null));
    }
    engine.queue(all);
    for (var generation : all) {
      int count = 0;
      while (generation.next() != null) count++;
      assertThat(count).isEqualTo(50);
    }
  }

  private static long residentMiB() {
    try {
      for (var line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("\\D", "")) >> 10;
      }
      throw new IllegalStateException("no VmRSS");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

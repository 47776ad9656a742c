package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Sampling;
import dev.espalier.model.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AdapterCacheTest {
  private static final Path PEFT = TinyModel.FOLDER.resolve("lora-all-linear");

  @TempDir private Path folder = Path.of("");
  private @Nullable BaseModel loaded;
  private long bytes;

  @BeforeEach
  void load() {
    loaded = TinyModel.load(folder);
    try (var one = Adapter.load("one", "one", PEFT, loaded)) {
      bytes = one.lora().bytes();
    }
  }

  @AfterEach
  void close() {
    base().close();
  }

  private BaseModel base() {
    if (loaded == null) throw new IllegalStateException("not loaded");
    return loaded;
  }

  private static void ask(AdapterCache cache, String... names) {
    for (var name : names) cache.use(name, name, PEFT).giveBack().run();
  }

  @Test
  void whatWasNotUsedForLongestGoesFirst() {
    try (var cache = new AdapterCache(base(), 2 * bytes, Set.of())) {
      ask(cache, "a", "b", "a", "c", "a");
      assertThat(cache.counts()).isEqualTo(new AdapterCache.Counts(2, 2 * bytes, 2, 3, 1));
      ask(cache, "b");
      assertThat(cache.counts().evicted()).isEqualTo(2);
      ask(cache, "a");
      assertThat(cache.counts().hits()).isEqualTo(3);
    }
  }

  @Test
  void whatIsInUseOrPinnedStays() {
    try (var cache = new AdapterCache(base(), bytes, Set.of("pinned"))) {
      ask(cache, "pinned");
      var used = cache.use("used", "used", PEFT);
      ask(cache, "a", "b");
      assertThat(used.adapter().lora().closed()).isFalse();
      assertThat(cache.counts().loaded()).isEqualTo(3); // and b, which came last
      used.giveBack().run();
      ask(cache, "c");
      assertThat(used.adapter().lora().closed()).isTrue();
      ask(cache, "pinned");
      assertThat(cache.counts().hits()).isEqualTo(1);
    }
  }

  @Test
  void aPinnedAdapterStaysInItsNewestVersionOnly() {
    try (var cache = new AdapterCache(base(), bytes, Set.of("pinned"))) {
      for (int version = 1; version <= 4; version++) {
        cache.use("pinned", "pinned@" + version, PEFT).giveBack().run();
      }
      ask(cache, "a", "b", "c");
      long misses = cache.counts().misses();
      cache.use("pinned", "pinned@4", PEFT).giveBack().run();
      assertThat(cache.counts().misses()).isEqualTo(misses);
      assertThat(cache.counts().loaded()).isEqualTo(1);
    }
  }

  @Test
  void manyWhoAskAtOnceLoadItOnce() throws InterruptedException {
    try (var cache = new AdapterCache(base(), bytes, Set.of())) {
      var given = new ConcurrentLinkedQueue<Adapter>();
      var threads = new ArrayList<Thread>();
      for (int i = 0; i < 20; i++) {
        threads.add(Thread.ofVirtual().start(() -> given.add(cache.use("a", "a", PEFT).adapter())));
      }
      for (var thread : threads) thread.join();
      assertThat(given).hasSize(20);
      assertThat(Set.copyOf(given)).hasSize(1);
      assertThat(cache.counts().misses()).isEqualTo(1);
    }
  }

  @Test
  void aFolderThatIsBrokenIsAnErrorAndTriedAgain() {
    try (var cache = new AdapterCache(base(), bytes, Set.of())) {
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> cache.use("gone", "gone", Path.of("no/such/folder")))
            .isInstanceOf(ModelException.class);
      }
      assertThat(cache.counts()).isEqualTo(new AdapterCache.Counts(0, 0, 0, 2, 0));
    }
  }

  @Test
  void greedyIsTheSameAfterEvictionAndReload() {
    try (var cache = new AdapterCache(base(), bytes, Set.of());
        var engine = new Engine(base(), 4)) {
      var first = answer(engine, cache);
      ask(cache, "b");
      assertThat(cache.counts().evicted()).isEqualTo(1);
      assertThat(answer(engine, cache)).isEqualTo(first);
      assertThat(cache.counts().misses()).isEqualTo(3);
    }
  }

  private static List<Integer> answer(Engine engine, AdapterCache cache) {
    var lease = cache.use("a", "a", PEFT);
    var generation =
        engine.prepare(new int[] {5, 6, 7, 8}, Sampling.greedy(12), Set.of(), lease, null);
    engine.queue(List.of(generation));
    var tokens = new ArrayList<Integer>();
    for (var next = generation.next(); next != null; next = generation.next()) {
      tokens.add(next.id());
    }
    return tokens;
  }
}

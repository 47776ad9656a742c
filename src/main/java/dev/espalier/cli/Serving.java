package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.engine.AdapterCache;
import dev.espalier.engine.BaseModel;
import dev.espalier.engine.Engine;
import dev.espalier.engine.Lease;
import dev.espalier.engine.LocalModel;
import dev.espalier.engine.Patience;
import dev.espalier.gateway.LocalModels;
import dev.espalier.model.ModelException;
import dev.espalier.store.Adapter;
import dev.espalier.store.Store;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// One base model in memory and the adapters of a data folder on it, loaded when they are first
/// asked for.
final class Serving implements LocalModels, AutoCloseable {
  private static final int SLOTS = 32; // at most
  private static final long ADAPTER_BYTES = 1L << 30;
  private static final Duration MEMORY = Duration.ofSeconds(1);
  private static final Duration UNKNOWN = Duration.ofMillis(100); // of a name that is not known

  private record Known(Map<String, Adapter> byName, long at) {}

  private final BaseModel base;
  private final Engine engine;
  private final Store store;
  private final AdapterCache adapters;
  private final AtomicLong unmatched = new AtomicLong();
  private volatile Known known = new Known(Map.of(), System.nanoTime() - MEMORY.toNanos());

  Serving(BaseModel base, Store store) {
    this(base, store, ADAPTER_BYTES, Set.of());
  }

  /// @param most bytes of adapters that stay in memory without being used
  /// @param pinned names of those that stay whatever happens
  Serving(BaseModel base, Store store, long most, Set<String> pinned) {
    this.base = base;
    this.store = store;
    int slots = Engine.slots(base, SLOTS, Engine.SEQUENCE);
    this.engine = new Engine(base, slots, Patience.withClients(slots));
    adapters = new AdapterCache(base, most, pinned);
  }

  Engine engine() {
    return engine;
  }

  /// Requests to an adapter that lacked the static text it was trained to do without.
  long unmatched() {
    return unmatched.get();
  }

  @Override
  public @Nullable ChatModel find(String name) {
    if (name.equals(base.name())) return LocalModel.base(engine);
    var row = known(MEMORY).get(name);
    if (row == null) row = known(UNKNOWN).get(name);
    if (row == null || whyNot(row) != null) return null;
    var found = row;
    return PrunedModel.of(new LocalModel(engine, () -> use(found)), row.rules(), unmatched);
  }

  private Lease use(Adapter row) {
    return adapters.use(row.name(), row.name() + "@" + row.created(), Path.of(row.path()));
  }

  /// Loads an adapter before anybody asks for it.
  ///
  /// @throws IllegalArgumentException if there is none of that name
  void load(String name) {
    var row = known(Duration.ZERO).get(name);
    if (row == null) {
      throw new IllegalArgumentException(
          "no adapter \"%s\" to pin; there are %s".formatted(name, names()));
    }
    var why = whyNot(row);
    if (why != null) throw new ModelException(why);
    use(row).giveBack().run();
  }

  /// The store's adapters, as they were at most that long ago: a request should not wait for the
  /// disk.
  private Map<String, Adapter> known(Duration age) {
    var last = known;
    if (System.nanoTime() - last.at() < age.toNanos()) return last.byName();
    var byName = new LinkedHashMap<String, Adapter>();
    for (var row : store.adapters()) byName.put(row.name(), row);
    known = new Known(byName, System.nanoTime());
    return byName;
  }

  /// Whether an adapter is one of the base model that is loaded.
  private boolean fits(Adapter row) {
    var folder = Path.of(row.base()).toAbsolutePath().normalize().getFileName();
    return folder.toString().equals(base.name());
  }

  /// Why an adapter cannot be served; null if it can.
  private @Nullable String whyNot(Adapter row) {
    if (!fits(row)) {
      return "adapter %s belongs to the base model %s, but %s is loaded: start with --model %s"
          .formatted(row.name(), row.base(), base.name(), row.base());
    }
    if (Files.isDirectory(Path.of(row.path()))) return null;
    return "adapter %s has lost its folder %s: train it again or restore its folder"
        .formatted(row.name(), row.path());
  }

  @Override
  public @Nullable String whyNot(String name) {
    var row = known(MEMORY).get(name);
    return row == null ? null : whyNot(row);
  }

  @Override
  public List<String> names() {
    var names = new ArrayList<String>();
    names.add(base.name());
    for (var row : known(Duration.ZERO).values()) if (whyNot(row) == null) names.add(row.name());
    return names;
  }

  @Override
  public byte[] token(String model, int id) {
    return base.format().tokenizer().bytes(id);
  }

  @Override
  public List<Figure> figures() {
    var counts = adapters.counts();
    return List.of(
        new Figure("espalier_adapters_loaded", "Adapters in memory.", counts.loaded()),
        new Figure("espalier_adapters_bytes", "Bytes of adapters in memory.", counts.bytes()),
        new Figure(
            "espalier_adapter_hits_total", "Requests whose adapter was there.", counts.hits()),
        new Figure(
            "espalier_adapter_misses_total", "Requests that loaded theirs.", counts.misses()),
        new Figure(
            "espalier_adapter_evictions_total", "Adapters that had to go.", counts.evicted()),
        new Figure(
            "espalier_unmatched_prompts_total",
            "Requests without the static text that their adapter was trained to do without.",
            unmatched.get()));
  }

  @Override
  public void close() {
    engine.close();
    adapters.close();
    base.close();
  }
}

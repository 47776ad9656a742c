package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.engine.Adapter;
import dev.espalier.engine.BaseModel;
import dev.espalier.engine.Engine;
import dev.espalier.engine.LocalModel;
import dev.espalier.gateway.LocalModels;
import dev.espalier.model.ModelException;
import dev.espalier.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// One base model in memory and the adapters of a data folder on it, loaded when they are first
/// asked for.
final class Serving implements LocalModels, AutoCloseable {
  private static final int SLOTS = 32;
  private static final Duration MEMORY = Duration.ofSeconds(1);

  private record Known(Map<String, dev.espalier.store.Adapter> byName, long at) {}

  private final BaseModel base;
  private final Engine engine;
  private final Store store;
  private final Map<String, ChatModel> loaded = new ConcurrentHashMap<>(); // by name and version
  private final AtomicLong unmatched = new AtomicLong();
  private volatile Known known = new Known(Map.of(), System.nanoTime() - MEMORY.toNanos());

  Serving(BaseModel base, Store store) {
    this.base = base;
    this.store = store;
    this.engine = new Engine(base, SLOTS);
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
    if (name.equals(base.name())) return new LocalModel(engine, null);
    var row = adapters(MEMORY).get(name);
    if (row == null) row = adapters(Duration.ZERO).get(name);
    if (row == null) return null;
    var found = row;
    return loaded.computeIfAbsent(name + "@" + row.created(), version -> load(version, found));
  }

  /// The store's adapters, as they were at most that long ago: a request should not wait for the
  /// disk.
  private Map<String, dev.espalier.store.Adapter> adapters(Duration age) {
    var last = known;
    if (System.nanoTime() - last.at() < age.toNanos()) return last.byName();
    var byName = new LinkedHashMap<String, dev.espalier.store.Adapter>();
    for (var row : store.adapters()) byName.put(row.name(), row);
    known = new Known(byName, System.nanoTime());
    return byName;
  }

  private ChatModel load(String version, dev.espalier.store.Adapter row) {
    if (!Path.of(row.base())
        .toAbsolutePath()
        .normalize()
        .getFileName()
        .toString()
        .equals(base.name())) {
      throw new ModelException(
          "adapter %s belongs to the base model %s, but %s is loaded: start with --model %s"
              .formatted(row.name(), row.base(), base.name(), row.base()));
    }
    var rules = row.rules();
    var adapter = Adapter.load(row.name(), version, Path.of(row.path()), base);
    return PrunedModel.of(engine, adapter, rules, unmatched);
  }

  @Override
  public List<String> names() {
    var names = new ArrayList<String>();
    names.add(base.name());
    names.addAll(adapters(Duration.ZERO).keySet());
    return names;
  }

  @Override
  public String token(String model, int id) {
    return base.format().tokenizer().decode(id);
  }

  @Override
  public void close() {
    engine.close();
    base.close();
  }
}

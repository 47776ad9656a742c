package dev.espalier.engine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;
import java.util.concurrent.FutureTask;

/// The adapters that are in memory, up to a number of bytes: loaded when they are asked for; those
/// that were not used for longest go first, those in use and those that are pinned never.
///
/// Safe for use by many threads; requests for an adapter that is being loaded wait for it.
public final class AdapterCache implements AutoCloseable {
  /// What became of the requests so far.
  ///
  /// @param loaded adapters in memory now
  /// @param bytes that they have
  /// @param hits requests whose adapter was there
  /// @param misses requests whose adapter had to be loaded
  /// @param evicted adapters that had to go
  public record Counts(int loaded, long bytes, long hits, long misses, long evicted) {}

  private static final class Entry {
    final String name;
    final FutureTask<Adapter> loading;
    boolean pinned; // until there is a newer version
    int users;
    long used;
    long bytes; // when it is loaded

    Entry(String name, FutureTask<Adapter> loading, boolean pinned) {
      this.name = name;
      this.loading = loading;
      this.pinned = pinned;
    }
  }

  private final BaseModel base;
  private final long most;
  private final Set<String> pinned;
  private final Map<String, Entry> entries = new HashMap<>(); // by version
  private long clock;
  private long hits;
  private long misses;
  private long evicted;

  /// @param most bytes of adapters; those in use may take more
  /// @param pinned names of adapters that stay
  public AdapterCache(BaseModel base, long most, Collection<String> pinned) {
    this.base = base;
    this.most = most;
    this.pinned = new HashSet<>(pinned);
  }

  /// An adapter, loaded from its PEFT folder if it is not there.
  public Lease use(String name, String version, Path peft) {
    Entry entry;
    synchronized (this) {
      var known = entries.get(version);
      if (known == null) {
        misses++;
        for (var other : entries.values()) if (other.name.equals(name)) other.pinned = false;
        known =
            new Entry(
                name,
                new FutureTask<>(() -> Adapter.load(name, version, peft, base)),
                pinned.contains(name));
        entries.put(version, known);
      } else {
        hits++;
      }
      known.users++;
      known.used = ++clock;
      entry = known;
    }
    entry.loading.run(); // does nothing if another request does it
    try {
      var adapter = entry.loading.get();
      makeRoom(entry, adapter);
      return new Lease(adapter, () -> giveBack(entry));
    } catch (ExecutionException e) {
      forget(version, entry);
      if (e.getCause() instanceof RuntimeException failure) throw failure;
      throw new CompletionException(e.getCause());
    } catch (InterruptedException e) {
      giveBack(entry);
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while an adapter was loaded", e);
    }
  }

  private synchronized void forget(String version, Entry entry) {
    entries.remove(version, entry);
  }

  private synchronized void giveBack(Entry entry) {
    entry.users--;
  }

  private void makeRoom(Entry entry, Adapter adapter) {
    List<Adapter> going;
    synchronized (this) {
      entry.bytes = adapter.lora().bytes();
      going = evict();
    }
    going.forEach(Adapter::close);
  }

  private List<Adapter> evict() {
    long bytes = bytes();
    if (bytes <= most) return List.of();
    var idle =
        entries.entrySet().stream()
            .filter(it -> it.getValue().users == 0 && !it.getValue().pinned)
            .sorted(Comparator.comparingLong(it -> it.getValue().used))
            .toList();
    var going = new ArrayList<Adapter>();
    for (var one : idle) {
      if (bytes <= most) break;
      entries.remove(one.getKey());
      bytes -= one.getValue().bytes;
      evicted++;
      going.add(one.getValue().loading.resultNow());
    }
    return going;
  }

  private long bytes() {
    return entries.values().stream().mapToLong(it -> it.bytes).sum();
  }

  public synchronized Counts counts() {
    return new Counts(entries.size(), bytes(), hits, misses, evicted);
  }

  /// Closes all adapters; nothing may be using them any more.
  @Override
  public synchronized void close() {
    for (var entry : entries.values()) {
      if (entry.loading.state() == State.SUCCESS) {
        entry.loading.resultNow().close();
      }
    }
    entries.clear();
  }
}

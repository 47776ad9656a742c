package dev.espalier.store;

import dev.espalier.env.Trajectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The one database of a data folder. Thread-safe; calls block unless they return a future.
///
/// Several processes may open the same folder: one gateway writes captured requests while commands
/// read them and write adapters and runs.
public final class Store implements AutoCloseable {
  private static final String FILE = "espalier.db";

  private final Writer writer;
  private final Reader reader;
  private final Checkpoints checkpoints;
  private final @Nullable Spool spool;
  private final CaptureInsert insert = new CaptureInsert();

  private Store(Writer writer, Reader reader, Checkpoints checkpoints, @Nullable Spool spool) {
    this.writer = writer;
    this.reader = reader;
    this.checkpoints = checkpoints;
    this.spool = spool;
  }

  /// Opens the store of a data folder, creating both where they do not exist.
  public static Store open(Path dir, Durability durability) {
    var file = dir.resolve(FILE);
    Database.create(file);
    var spool = durability == Durability.PROCESS ? new Spool(dir) : null;
    var writer = new Writer(file, durability, spool);
    var store = new Store(writer, new Reader(file), new Checkpoints(file, writer), spool);
    Spool.takeOver(dir, store::takeOver);
    return store;
  }

  /// Commits what another process captured and died before it could.
  private void takeOver(List<Spool.Entry> left) {
    writer.run(connection -> {
      for (var entry : left) insert.run(connection, entry.request(), entry.packed());
    });
  }

  /// Opens a store that must be there already.
  public static Store openExisting(Path dir) {
    var file = dir.resolve(FILE);
    if (!Files.exists(file)) {
      throw new StoreException(
          "no store in %s: name another folder with --data, or start ./espalier up --data %s first"
              .formatted(dir, dir));
    }
    return open(dir, Durability.PROCESS);
  }

  /// What became of a captured request.
  ///
  /// @param safe whether it survives the death of this process already
  /// @param committed completes once it is in the database
  public record Receipt(boolean safe, CompletableFuture<@Nullable Void> committed) {
    /// Waits until it is in the database.
    public void join() {
      var _ = committed.join();
    }
  }

  /// Queues a captured request. A request of the same id is replaced, its feedback kept.
  ///
  /// Never waits for a commit, which fails at once where the queue is full, and later where the
  /// disk is. What is safe then is committed when the store is next opened.
  ///
  /// @param rawStream the bytes of the stream that `request.response()` was reassembled from
  public Receipt capture(CapturedRequest request, byte @Nullable [] rawStream) {
    // Packed here and not by the writer: callers are many, the writer is one.
    var packed = rawStream == null ? null : Packed.pack(rawStream);
    long size = (long) request.request().length + request.response().length;
    long bytes = size + (packed == null ? 0 : packed.length);
    if (spool == null) return new Receipt(false, insert(request, packed, bytes, true));
    var encoded = Spool.encoded(request, packed);
    synchronized (spool) { // what it takes before it turns was queued before
      boolean safe = spool.append(encoded);
      return new Receipt(safe, insert(request, packed, bytes, !safe));
    }
  }

  private CompletableFuture<@Nullable Void> insert(
      CapturedRequest request, byte @Nullable [] packed, long bytes, boolean awaited) {
    return writer.submit(
        bytes,
        awaited,
        connection -> {
          insert.run(connection, request, packed);
          return null;
        });
  }

  /// Waits until what was queued before is committed, so that it can be read.
  private void settle() {
    if (writer.queuedBytes() > 0) writer.run(connection -> {});
  }

  /// Captured requests with their feedback, oldest first, read page by page as the stream is
  /// consumed.
  public Stream<CapturedRequest> captured(CaptureFilter filter) {
    settle();
    return CapturePages.stream(reader, filter);
  }

  /// How many captured requests meet the filter.
  public long count(CaptureFilter filter) {
    settle();
    return reader.read(connection -> CapturedTable.count(connection, filter));
  }

  /// A stream's bytes as the upstream sent them; empty for a plain response.
  public byte[] rawStream(String id) {
    settle();
    return reader.read(connection -> CapturedTable.rawStream(connection, id));
  }

  /// Attaches feedback; false where no request has that id.
  public boolean add(Feedback feedback) {
    return writer.write(connection -> FeedbackTable.insert(connection, feedback));
  }

  /// Deletes captured requests that came before `cutoff`; returns how many.
  public long deleteBefore(Instant cutoff) {
    return Retention.deleteBefore(writer, cutoff);
  }

  /// Deletes the oldest captured requests until the database, without what runs keep in it, is no
  /// larger; returns how many.
  public long shrinkTo(long bytes) {
    return Retention.shrinkTo(writer, reader, bytes);
  }

  public List<Route> routes() {
    return reader.read(RouteTable::all);
  }

  public void put(Route route) {
    writer.run(connection -> RouteTable.put(connection, route));
  }

  /// Removes the route of a model name; false where there was none.
  public boolean deleteRoute(String model) {
    return writer.write(connection -> RouteTable.delete(connection, model));
  }

  public List<ApiKey> keys() {
    return reader.read(KeyTable::all);
  }

  public void put(ApiKey key) {
    writer.run(connection -> KeyTable.put(connection, key));
  }

  public boolean deleteKey(String id) {
    return writer.write(connection -> KeyTable.delete(connection, id));
  }

  /// Prices by model name.
  public Map<String, Price> prices() {
    return reader.read(PriceTable::all);
  }

  public void put(Price price) {
    writer.run(connection -> PriceTable.put(connection, price));
  }

  /// Adapters, oldest first.
  public List<Adapter> adapters() {
    return reader.read(AdapterTable::all);
  }

  public Optional<Adapter> adapter(String name) {
    return adapters().stream().filter(adapter -> adapter.name().equals(name)).findFirst();
  }

  /// Adds an adapter or replaces the one of that name.
  public void put(Adapter adapter) {
    writer.run(connection -> AdapterTable.put(connection, adapter));
  }

  public boolean deleteAdapter(String name) {
    return writer.write(connection -> AdapterTable.delete(connection, name));
  }

  /// Runs, oldest first.
  public List<Run> runs() {
    return reader.read(RunTable::all);
  }

  /// Adds a run or replaces the one of that id.
  public void put(Run run) {
    writer.run(connection -> RunTable.put(connection, run));
  }

  /// Deletes a run with its steps, trajectories and verdicts.
  public void deleteRun(String id) {
    writer.run(connection -> RunTable.delete(connection, id));
  }

  /// Adds what a step of a run gave, as JSON, or replaces what it gave before.
  public void putStep(String run, int step, String metrics) {
    writer.run(connection -> RunTable.putStep(connection, run, step, metrics));
  }

  /// What each step of a run gave, in order, as JSON.
  public List<String> steps(String run) {
    return reader.read(connection -> RunTable.steps(connection, run));
  }

  /// Adds the attempts of a step, token ids and all; those of the same task and member are
  /// replaced.
  public void put(String run, int step, List<Trajectory> trajectories) {
    var bodies = trajectories.stream().map(TrajectoryTable::body).toList();
    writer.run(connection -> {
      for (int i = 0; i < bodies.size(); i++) {
        TrajectoryTable.put(connection, run, step, trajectories.get(i), bodies.get(i));
      }
    });
  }

  /// The steps of a run that have attempts, in order.
  public List<Integer> stepsWithTrajectories(String run) {
    return reader.read(connection -> TrajectoryTable.steps(connection, run));
  }

  /// The attempts of a step of a run, in the order in which they were made.
  public List<Trajectory> trajectories(String run, int step) {
    return reader.read(connection -> TrajectoryTable.of(connection, run, step));
  }

  /// Adds a verdict, or replaces the one on the same group by the same judge under the same rubric.
  public void put(StoredVerdict verdict) {
    writer.run(connection -> VerdictTable.put(connection, verdict));
  }

  /// The verdicts on a run's attempts, oldest first.
  public List<StoredVerdict> verdicts(String run) {
    return reader.read(connection -> VerdictTable.of(connection, run));
  }

  /// Bytes of records that wait to be written.
  public long queuedBytes() {
    return writer.queuedBytes();
  }

  /// Writes what is queued, waiting at most that long, and closes.
  public void close(Duration patience) {
    checkpoints.close();
    boolean all = writer.close(patience);
    reader.close();
    if (spool != null) spool.close(all);
  }

  @Override
  public void close() {
    close(Duration.ofSeconds(10));
  }
}

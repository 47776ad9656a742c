package dev.espalier.store;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// The one thread that writes. It takes whatever waits and commits it at once, so that a slow disk
/// costs one sync a batch and not one a record; where nobody waits for it, it lets more come first,
/// for a page costs the same for one record and for all that are in it.
final class Writer {
  private static final int QUEUE = 8192;
  private static final long LINGER_MS = 10;
  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final long MAX_QUEUED_BYTES = 512L << 20;

  /// A unit of work with the future of its result; `commit` runs once it is durable.
  private static final class Job<T extends @Nullable Object> {
    final SqlWork<T> work;
    final long bytes;
    final boolean awaited;
    final CompletableFuture<T> future = new CompletableFuture<>();
    private @Nullable Runnable commit;

    Job(SqlWork<T> work, long bytes, boolean awaited) {
      this.work = work;
      this.bytes = bytes;
      this.awaited = awaited;
    }

    void run(Connection connection) throws SQLException {
      T result = work.run(connection);
      commit = () -> future.complete(result);
    }

    void committed() {
      if (commit != null) commit.run();
    }
  }

  private final BlockingQueue<Job<?>> queue = new ArrayBlockingQueue<>(QUEUE);
  private final AtomicLong queuedBytes = new AtomicLong();
  private final Semaphore hurry = new Semaphore(0);
  private final @Nullable Spool spool;
  private final Connection connection;
  private final Thread thread;
  private final List<Job<?>> waiting = new ArrayList<>(); // safe, but not taken yet
  private long retry; // when they are tried again, in System.nanoTime()
  private volatile boolean closing;
  private volatile boolean done;
  private volatile boolean checkpointDue;

  /// @param spool holds what is queued and safe already; null if nothing is
  Writer(Path file, Durability durability, @Nullable Spool spool) {
    this.spool = spool;
    try {
      connection = Database.writing(file, durability);
    } catch (SQLException e) {
      throw new StoreException("cannot write to %s: %s".formatted(file, e.getMessage()), e);
    }
    thread = Thread.ofPlatform().name("store-writer").daemon().start(this::loop);
  }

  /// Queues work without waiting for room; the future fails where there is none.
  ///
  /// @param awaited whether somebody waits for it; else the spool has it, and where the disk is
  ///   full, or another process writes for long, it is tried again until it is committed
  <T extends @Nullable Object> CompletableFuture<T> submit(
      long bytes, boolean awaited, SqlWork<T> work) {
    var job = new Job<T>(work, bytes, awaited);
    if (closing) return refuse(job, "the store is closed");
    if (queuedBytes.addAndGet(bytes) > MAX_QUEUED_BYTES || !queue.offer(job)) {
      queuedBytes.addAndGet(-bytes);
      return refuse(job, "the store cannot keep up: too many records wait to be written");
    }
    if (awaited) hurry.release();
    return job.future;
  }

  private <T extends @Nullable Object> CompletableFuture<T> refuse(Job<T> job, String why) {
    if (!job.awaited && spool != null) spool.keep();
    job.future.completeExceptionally(new StoreException(why));
    return job.future;
  }

  /// Does work and waits until it is committed.
  <T extends @Nullable Object> T write(SqlWork<T> work) {
    try {
      return submit(0, true, work).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof StoreException cause) {
        throw new StoreException(String.valueOf(cause.getMessage()), cause);
      }
      throw e;
    }
  }

  /// Does work that has no result and waits until it is committed.
  void run(SqlUpdate update) {
    this.<@Nullable Void>write(connection -> {
      update.run(connection);
      return null;
    });
  }

  /// Work without a result.
  @FunctionalInterface
  interface SqlUpdate {
    void run(Connection connection) throws SQLException;
  }

  /// Makes a checkpoint before the next batch, when the log does not grow meanwhile.
  void checkpoint() {
    checkpointDue = true;
  }

  long queuedBytes() {
    return queuedBytes.get();
  }

  private void loop() {
    var batch = new ArrayList<Job<?>>();
    while (!(closing && queue.isEmpty())) {
      try {
        if (checkpointDue) finishCheckpoint();
        var first = queue.poll(100, TimeUnit.MILLISECONDS);
        boolean again = !waiting.isEmpty() && System.nanoTime() - retry >= 0;
        if (first == null && !again) continue;
        if (first != null && !first.awaited) {
          var _ = hurry.tryAcquire(LINGER_MS, TimeUnit.MILLISECONDS);
        }
        hurry.drainPermits();
        // all that it took was queued before it turns, so that it is in this batch, or waits, or is
        // committed
        Runnable taken = spool == null ? () -> {} : spool.turn();
        if (again) {
          batch.addAll(waiting);
          waiting.clear();
        }
        if (first != null) batch.add(first);
        queue.drainTo(batch);
        // where some wait, those behind them do too, for a request may be stored again
        commit(waiting.isEmpty() ? batch : later(batch));
        if (waiting.isEmpty()) taken.run();
      } catch (InterruptedException e) {
        return;
      } finally {
        for (var job : batch) if (job.future.isDone()) queuedBytes.addAndGet(-job.bytes);
        batch.clear();
      }
    }
    var why = new StoreException("no time was left: it is committed when the store is next opened");
    for (var job : waiting) job.future.completeExceptionally(why);
    done = waiting.isEmpty();
  }

  private void finishCheckpoint() {
    checkpointDue = false;
    try {
      execute(Database.CHECKPOINT);
    } catch (SQLException fails) {
      // the next one of Checkpoints fails as well, which says so
    }
  }

  /// Commits a batch; where it fails, each of its jobs by itself, so that one bad record does not
  /// take the others with it. What is safe waits, unless it would fail again.
  private void commit(List<Job<?>> batch) {
    if (batch.isEmpty()) return;
    try {
      execute("BEGIN IMMEDIATE");
      for (var job : batch) job.run(connection);
      execute("COMMIT");
      for (var job : batch) job.committed();
    } catch (SQLException | RuntimeException | Error e) { // without this thread all would wait
      rollback();
      var rest = recurs(e) ? batch : later(batch);
      if (batch.size() == 1) for (var job : rest) job.future.completeExceptionally(failure(e));
      else for (var job : rest) commit(waiting.isEmpty() ? List.of(job) : later(List.of(job)));
    }
  }

  /// Lets those of a batch wait that are safe.
  ///
  /// @return the others
  private List<Job<?>> later(List<Job<?>> batch) {
    if (waiting.isEmpty()) retry = System.nanoTime() + PAUSE.toNanos();
    var rest = new ArrayList<Job<?>>();
    for (var job : batch) (job.awaited ? rest : waiting).add(job);
    return rest;
  }

  /// Whether what failed is the work itself, and not the disk or another process.
  private static boolean recurs(Throwable e) {
    if (!(e instanceof SQLiteException fails)) return e instanceof RuntimeException;
    var code = fails.getResultCode();
    return code.name().startsWith("SQLITE_CONSTRAINT")
        || code == SQLiteErrorCode.SQLITE_MISMATCH
        || code == SQLiteErrorCode.SQLITE_TOOBIG;
  }

  private static StoreException failure(Throwable e) {
    if (e instanceof StoreException ours) return ours;
    return new StoreException("the store could not write: " + e.getMessage(), e);
  }

  private void rollback() {
    try {
      execute("ROLLBACK");
    } catch (SQLException ignored) {
      // SQLite has already rolled back by itself after a full disk or an I/O error.
    }
  }

  /// Transactions in SQL: the driver would begin the next one at once, and keep others from writing
  /// while nothing happens here.
  private void execute(String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /// Writes what is queued and closes.
  ///
  /// @return whether there was the time for it
  boolean close(Duration patience) {
    closing = true;
    try {
      if (!thread.join(patience)) thread.interrupt();
      connection.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (SQLException e) {
      throw new StoreException("the store did not close: " + e.getMessage(), e);
    }
    return done;
  }
}

package dev.espalier.store;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/// Moves what was committed from SQLite's log into its file, once a second, beside the thread that
/// writes: a checkpoint syncs both files, and whoever waits for a commit would wait for that.
///
/// As long as something is written all the time the log never is empty at the end of a checkpoint,
/// and cannot begin anew. Once it is long, the writer itself does what is left of one.
final class Checkpoints implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Checkpoints.class.getName());
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final int LONG_LOG = 16_384; // pages: 64 MiB

  private final Connection connection;
  private final Writer writer;
  private final Duration period;
  private final int longLog;
  private final Thread thread;

  Checkpoints(Path file, Writer writer) {
    this(file, writer, PERIOD, LONG_LOG);
  }

  /// @param longLog pages from which the writer has to help
  Checkpoints(Path file, Writer writer, Duration period, int longLog) {
    this.writer = writer;
    this.period = period;
    this.longLog = longLog;
    try {
      connection = Database.reading(file);
    } catch (SQLException e) {
      throw new StoreException("cannot open %s: %s".formatted(file, e.getMessage()), e);
    }
    thread = Thread.ofPlatform().name("store-checkpoints").daemon().start(this::loop);
  }

  private void loop() {
    var last = "";
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(period);
        if (pages() > longLog) writer.checkpoint();
      } catch (SQLException e) {
        // on a full disk, say: the log keeps what was committed, and the writer says what it cannot
        var why = String.valueOf(e.getMessage());
        if (!why.equals(last)) LOG.log(System.Logger.Level.WARNING, "no checkpoint: " + why);
        last = why;
      } catch (InterruptedException closed) {
        return;
      }
    }
  }

  /// Makes a checkpoint; how many pages the log has, those included that were moved.
  private int pages() throws SQLException {
    try (var statement = connection.createStatement();
        var row = statement.executeQuery(Database.CHECKPOINT)) {
      return row.next() ? row.getInt("log") : 0;
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
      connection.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (SQLException e) {
      throw new StoreException("the store did not close: " + e.getMessage(), e);
    }
  }
}

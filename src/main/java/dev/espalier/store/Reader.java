package dev.espalier.store;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// The thread that reads, with a connection of its own.
final class Reader implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("store-reader").daemon().factory());
  private final Connection connection;

  Reader(Path file) {
    try {
      connection = Database.reading(file);
    } catch (SQLException e) {
      throw new StoreException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  <T extends @Nullable Object> T read(SqlWork<T> work) {
    try {
      return thread.submit(() -> work.run(connection)).get();
    } catch (ExecutionException e) {
      throw new StoreException("the store could not read: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while reading", e);
    }
  }

  @Override
  public void close() {
    thread.close();
    try {
      connection.close();
    } catch (SQLException e) {
      throw new StoreException("the store did not close: " + e.getMessage(), e);
    }
  }
}

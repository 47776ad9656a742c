package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/// Something to do with a connection on a thread of the store's own.
@FunctionalInterface
interface SqlWork<T extends @Nullable Object> {
  T run(Connection connection) throws SQLException;
}

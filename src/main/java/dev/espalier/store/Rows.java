package dev.espalier.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the small tables have in common.
final class Rows {
  private Rows() {}

  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  static <T> List<T> all(Connection connection, String sql, Row<T> read, Object... values)
      throws SQLException {
    var all = new ArrayList<T>();
    try (var statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
      var rows = statement.executeQuery();
      while (rows.next()) all.add(read.read(rows));
    }
    return all;
  }

  static void put(Connection connection, String sql, @Nullable Object... values)
      throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i]);
      statement.executeUpdate();
    }
  }

  static boolean delete(Connection connection, String sql, String key) throws SQLException {
    try (var statement = connection.prepareStatement(sql)) {
      statement.setString(1, key);
      return statement.executeUpdate() > 0;
    }
  }

  static @Nullable Long millis(@Nullable Instant time) {
    return time == null ? null : time.toEpochMilli();
  }

  static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    long millis = row.getLong(column);
    return row.wasNull() ? null : Instant.ofEpochMilli(millis);
  }
}

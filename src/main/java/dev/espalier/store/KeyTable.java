package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;

/// SQL over the keys that we issued.
final class KeyTable {
  private KeyTable() {}

  static List<ApiKey> all(Connection connection) throws SQLException {
    return Rows.all(
        connection,
        "SELECT * FROM api_key ORDER BY created",
        row ->
            new ApiKey(
                row.getString("id"),
                row.getString("name"),
                row.getString("hash"),
                Instant.ofEpochMilli(row.getLong("created"))));
  }

  static void put(Connection connection, ApiKey key) throws SQLException {
    Rows.put(
        connection,
        "INSERT INTO api_key (id, name, hash, created) VALUES (?, ?, ?, ?)",
        key.id(),
        key.name(),
        key.hash(),
        Rows.millis(key.created()));
  }

  static boolean delete(Connection connection, String id) throws SQLException {
    return Rows.delete(connection, "DELETE FROM api_key WHERE id = ?", id);
  }
}

package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;

/// SQL over adapters.
final class AdapterTable {
  private AdapterTable() {}

  static List<Adapter> all(Connection connection) throws SQLException {
    return Rows.all(
        connection,
        "SELECT * FROM adapter ORDER BY created, name",
        row ->
            new Adapter(
                row.getString("name"),
                row.getString("path"),
                row.getString("base"),
                Instant.ofEpochMilli(row.getLong("created")),
                row.getString("pruning_rule"),
                row.getString("metrics")));
  }

  static void put(Connection connection, Adapter adapter) throws SQLException {
    Rows.put(
        connection,
        """
        INSERT OR REPLACE INTO adapter (name, path, base, created, pruning_rule, metrics)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        adapter.name(),
        adapter.path(),
        adapter.base(),
        Rows.millis(adapter.created()),
        adapter.pruningRule(),
        adapter.metrics());
  }

  static boolean delete(Connection connection, String name) throws SQLException {
    return Rows.delete(connection, "DELETE FROM adapter WHERE name = ?", name);
  }
}

package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;

/// SQL over runs.
final class RunTable {
  private RunTable() {}

  static List<Run> all(Connection connection) throws SQLException {
    return Rows.all(
        connection,
        "SELECT * FROM run ORDER BY started, id",
        row ->
            new Run(
                row.getString("id"),
                row.getString("kind"),
                row.getString("status"),
                Instant.ofEpochMilli(row.getLong("started")),
                Rows.instant(row, "finished"),
                row.getString("config"),
                row.getString("metrics")));
  }

  static void put(Connection connection, Run run) throws SQLException {
    Rows.put(
        connection,
        """
        INSERT OR REPLACE INTO run (id, kind, status, started, finished, config, metrics)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        run.id(),
        run.kind(),
        run.status(),
        Rows.millis(run.started()),
        Rows.millis(run.finished()),
        run.config(),
        run.metrics());
  }
}

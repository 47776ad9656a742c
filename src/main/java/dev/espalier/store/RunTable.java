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

  /// Adds what a step of a run gave, or replaces what it gave before it was done again.
  static void putStep(Connection connection, String run, int step, String metrics)
      throws SQLException {
    Rows.put(
        connection,
        "INSERT OR REPLACE INTO run_step (run, step, metrics) VALUES (?, ?, ?)",
        run,
        step,
        metrics);
  }

  static List<String> steps(Connection connection, String run) throws SQLException {
    return Rows.all(
        connection,
        "SELECT metrics FROM run_step WHERE run = ? ORDER BY step",
        row -> row.getString("metrics"),
        run);
  }

  /// Deletes a run with its steps, trajectories and verdicts.
  static void delete(Connection connection, String run) throws SQLException {
    for (var table : List.of("verdict", "trajectory", "run_step")) {
      Rows.put(connection, "DELETE FROM " + table + " WHERE run = ?", run);
    }
    Rows.put(connection, "DELETE FROM run WHERE id = ?", run);
  }
}

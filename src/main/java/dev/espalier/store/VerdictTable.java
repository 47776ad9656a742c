package dev.espalier.store;

import dev.espalier.chat.Json;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/// SQL over verdicts.
final class VerdictTable {
  private VerdictTable() {}

  static void put(Connection connection, StoredVerdict verdict) throws SQLException {
    Rows.put(
        connection,
        "INSERT OR REPLACE INTO verdict (run, task, rubric, scores, calls) VALUES (?, ?, ?, ?, ?)",
        verdict.run(),
        verdict.task(),
        verdict.rubric(),
        Json.write(verdict.scores()),
        verdict.calls());
  }

  static List<StoredVerdict> of(Connection connection, String run) throws SQLException {
    return Rows.all(
        connection,
        "SELECT * FROM verdict WHERE run = ? ORDER BY rowid",
        row ->
            new StoredVerdict(
                run,
                row.getString("task"),
                row.getString("rubric"),
                List.of(
                    Json.MAPPER.readValue(row.getString("scores"), StoredVerdict.Score[].class)),
                row.getInt("calls")),
        run);
  }
}

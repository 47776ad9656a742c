package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// SQL over feedback.
final class FeedbackTable {
  private FeedbackTable() {}

  /// False where no captured request has that id.
  static boolean insert(Connection connection, Feedback feedback) throws SQLException {
    var sql =
        """
        INSERT INTO feedback (request_id, time, score, label, comment)
        SELECT id, ?, ?, ?, ? FROM captured WHERE id = ?
        """;
    try (var statement = connection.prepareStatement(sql)) {
      statement.setLong(1, feedback.time().toEpochMilli());
      statement.setObject(2, feedback.score());
      statement.setString(3, feedback.label());
      statement.setString(4, feedback.comment());
      statement.setString(5, feedback.requestId());
      return statement.executeUpdate() == 1;
    }
  }

  static List<Feedback> of(Connection connection, String requestId) throws SQLException {
    var sql = "SELECT time, score, label, comment FROM feedback WHERE request_id = ? ORDER BY seq";
    var all = new ArrayList<Feedback>();
    try (var statement = connection.prepareStatement(sql)) {
      statement.setString(1, requestId);
      var row = statement.executeQuery();
      while (row.next()) {
        all.add(
            new Feedback(
                requestId,
                Instant.ofEpochMilli(row.getLong("time")),
                CapturedTable.real(row, "score"),
                row.getString("label"),
                row.getString("comment")));
      }
    }
    return all;
  }
}

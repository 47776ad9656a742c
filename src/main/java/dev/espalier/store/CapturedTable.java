package dev.espalier.store;

import dev.espalier.chat.Json;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// SQL that reads captured requests.
final class CapturedTable {
  private CapturedTable() {}

  /// A row with its place in the order of capture.
  record Row(long seq, CapturedRequest request) {}

  /// The next rows after `afterSeq`, at most `limit` of them.
  static List<Row> page(Connection connection, CaptureFilter filter, long afterSeq, long limit)
      throws SQLException {
    var clause = FilterSql.of(filter);
    var sql =
        "SELECT * FROM captured WHERE %s AND seq > ? ORDER BY seq LIMIT ?"
            .formatted(clause.where());
    var rows = new ArrayList<Row>();
    try (var statement = connection.prepareStatement(sql)) {
      int next = clause.bind(statement);
      statement.setLong(next, afterSeq);
      statement.setLong(next + 1, limit);
      var result = statement.executeQuery();
      while (result.next()) {
        var feedback = FeedbackTable.of(connection, result.getString("id"));
        rows.add(new Row(result.getLong("seq"), read(result, feedback)));
      }
    }
    return rows;
  }

  /// The place that the first of the newest `limit` rows comes after.
  static long before(Connection connection, CaptureFilter filter) throws SQLException {
    if (filter.limit() == Long.MAX_VALUE) return 0;
    var clause = FilterSql.of(filter);
    var sql =
        "SELECT seq FROM captured WHERE %s ORDER BY seq DESC LIMIT 1 OFFSET ?"
            .formatted(clause.where());
    try (var statement = connection.prepareStatement(sql)) {
      statement.setLong(clause.bind(statement), filter.limit());
      var result = statement.executeQuery();
      return result.next() ? result.getLong(1) : 0;
    }
  }

  static long count(Connection connection, CaptureFilter filter) throws SQLException {
    var clause = FilterSql.of(filter);
    var sql = "SELECT count(*) FROM captured WHERE " + clause.where();
    try (var statement = connection.prepareStatement(sql)) {
      clause.bind(statement);
      return Math.min(filter.limit(), statement.executeQuery().getLong(1));
    }
  }

  static byte[] rawStream(Connection connection, String id) throws SQLException {
    var sql = "SELECT raw_stream FROM captured WHERE id = ?";
    try (var statement = connection.prepareStatement(sql)) {
      statement.setString(1, id);
      var result = statement.executeQuery();
      var packed = result.next() ? result.getBytes(1) : null;
      return packed == null ? new byte[0] : Packed.unpack(packed);
    }
  }

  private static CapturedRequest read(ResultSet row, List<Feedback> feedback) throws SQLException {
    return new CapturedRequest(
        row.getString("id"),
        Instant.ofEpochMilli(row.getLong("time")),
        Api.valueOf(row.getString("api").toUpperCase(Locale.ROOT)),
        row.getString("model"),
        row.getString("served_by"),
        row.getString("served_model"),
        row.getBoolean("fell_back"),
        row.getBoolean("streamed"),
        row.getBytes("request"),
        row.getBytes("response"),
        row.getInt("status"),
        Outcome.valueOf(row.getString("outcome").toUpperCase(Locale.ROOT)),
        tags(row.getString("tags")),
        row.getString("prompt_version"),
        row.getString("conversation_id"),
        usage(row),
        row.getLong("first_byte_ms"),
        row.getLong("latency_ms"),
        real(row, "cost"),
        feedback);
  }

  private static Map<String, String> tags(String json) {
    var tags = new LinkedHashMap<String, String>();
    for (var tag : Json.parse(json).properties()) tags.put(tag.getKey(), tag.getValue().asString());
    return tags;
  }

  private static @Nullable TokenUsage usage(ResultSet row) throws SQLException {
    int prompt = row.getInt("prompt_tokens");
    if (row.wasNull()) return null;
    return new TokenUsage(
        prompt,
        row.getInt("completion_tokens"),
        row.getInt("cached_tokens"),
        row.getBoolean("estimated"));
  }

  static @Nullable Double real(ResultSet row, String column) throws SQLException {
    double value = row.getDouble(column);
    return row.wasNull() ? null : value;
  }
}

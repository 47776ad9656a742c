package dev.espalier.store;

import dev.espalier.store.CaptureFilter.Condition;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// A filter as a WHERE clause over `captured` and the values of its parameters.
record FilterSql(String where, List<Object> values) {
  static FilterSql of(CaptureFilter filter) {
    var clauses = new ArrayList<String>();
    var values = new ArrayList<Object>();
    for (var condition : filter.conditions()) clauses.add(clause(condition, values));
    return new FilterSql(clauses.isEmpty() ? "1" : String.join(" AND ", clauses), values);
  }

  private static String clause(Condition condition, List<Object> values) {
    return switch (condition) {
      case Condition.Model(var name) -> with(values, "model = ?", name);
      case Condition.Since(var time) -> with(values, "time >= ?", time.toEpochMilli());
      case Condition.Until(var time) -> with(values, "time < ?", time.toEpochMilli());
      case Condition.Upstream() -> "served_by NOT LIKE 'adapter:%'";
      case Condition.Status(int code) -> with(values, "status = ?", code);
      case Condition.Ended(var outcome) -> with(values, "outcome = ?", outcome.wire());
      case Condition.PromptVersion(var hash) -> with(values, "prompt_version = ?", hash);
      case Condition.Conversation(var id) -> with(values, "conversation_id = ?", id);
      case Condition.Tag(var name, var value) -> {
        values.add(name);
        yield with(
            values,
            "EXISTS (SELECT 1 FROM json_each(tags) AS tag WHERE tag.key = ? AND tag.value = ?)",
            value);
      }
      case Condition.MinScore(double score) ->
          with(values, "id IN (SELECT request_id FROM feedback WHERE score >= ?)", score);
      case Condition.Label(var label) ->
          with(values, "id IN (SELECT request_id FROM feedback WHERE label = ?)", label);
    };
  }

  private static String with(List<Object> values, String clause, Object value) {
    values.add(value);
    return clause;
  }

  /// Sets the parameters, which come first in the statement; returns the next one's index.
  int bind(PreparedStatement statement) throws SQLException {
    int index = 1;
    for (var value : values) statement.setObject(index++, value);
    return index;
  }
}

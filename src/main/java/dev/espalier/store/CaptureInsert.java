package dev.espalier.store;

import dev.espalier.chat.Json;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/// The statement that writes captured requests. It is prepared once, for the one connection that
/// writes: that takes as long as a row does.
final class CaptureInsert {
  private static final String INSERT =
      """
      INSERT INTO captured (id, time, api, model, served_by, served_model, fell_back,
        streamed, request, response, raw_stream, status, outcome, tags, prompt_version,
        conversation_id, prompt_tokens, completion_tokens, cached_tokens, estimated, first_byte_ms,
        latency_ms, cost)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET response = excluded.response,
        raw_stream = excluded.raw_stream, outcome = excluded.outcome,
        latency_ms = excluded.latency_ms
      """;

  private @Nullable PreparedStatement prepared;

  void run(Connection connection, CapturedRequest request, byte @Nullable [] packed)
      throws SQLException {
    if (prepared == null) prepared = connection.prepareStatement(INSERT);
    try {
      bind(prepared, request, packed);
      prepared.executeUpdate();
    } catch (SQLException e) { // the driver does not run a statement again that failed
      prepared.close();
      prepared = null;
      throw e;
    }
  }

  private static void bind(PreparedStatement row, CapturedRequest of, byte @Nullable [] packed)
      throws SQLException {
    var usage = of.usage();
    int i = 1;
    row.setString(i++, of.id());
    row.setLong(i++, of.time().toEpochMilli());
    row.setString(i++, of.api().wire());
    row.setString(i++, of.model());
    row.setString(i++, of.servedBy());
    row.setString(i++, of.servedModel());
    row.setBoolean(i++, of.fellBack());
    row.setBoolean(i++, of.streamed());
    row.setBytes(i++, of.request());
    row.setBytes(i++, of.response());
    row.setBytes(i++, packed);
    row.setInt(i++, of.status());
    row.setString(i++, of.outcome().wire());
    row.setString(i++, Json.write(of.tags()));
    row.setString(i++, of.promptVersion());
    row.setString(i++, of.conversationId());
    row.setObject(i++, usage == null ? null : usage.promptTokens());
    row.setObject(i++, usage == null ? null : usage.completionTokens());
    row.setObject(i++, usage == null ? null : usage.cachedTokens());
    row.setObject(i++, usage == null ? null : usage.estimated());
    row.setLong(i++, of.firstByteMs());
    row.setLong(i++, of.latencyMs());
    row.setObject(i, of.cost());
  }
}

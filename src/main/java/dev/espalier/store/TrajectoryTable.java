package dev.espalier.store;

import dev.espalier.chat.Json;
import dev.espalier.env.Trajectory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectReader;

/// SQL over trajectories.
final class TrajectoryTable {
  /// What rows of an earlier version do not say of a completion is false.
  private static final ObjectReader READER =
      Json.MAPPER
          .readerFor(Trajectory.class)
          .without(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);

  private TrajectoryTable() {}

  static byte[] body(Trajectory trajectory) {
    return Packed.pack(Json.MAPPER.writeValueAsBytes(trajectory));
  }

  static Trajectory read(byte[] body) {
    return READER.readValue(Packed.unpack(body));
  }

  static void put(Connection connection, String run, int step, Trajectory trajectory, byte[] body)
      throws SQLException {
    Rows.put(
        connection,
        """
        INSERT OR REPLACE INTO trajectory (run, task, member, step, body) VALUES (?, ?, ?, ?, ?)
        """,
        run,
        trajectory.task().id(),
        trajectory.member(),
        step,
        body);
  }

  static List<Integer> steps(Connection connection, String run) throws SQLException {
    return Rows.all(
        connection,
        "SELECT DISTINCT step FROM trajectory WHERE run = ? ORDER BY step",
        row -> row.getInt("step"),
        run);
  }

  static List<Trajectory> of(Connection connection, String run, int step) throws SQLException {
    return Rows.all(
        connection,
        "SELECT body FROM trajectory WHERE run = ? AND step = ? ORDER BY rowid",
        row -> read(row.getBytes("body")),
        run,
        step);
  }
}

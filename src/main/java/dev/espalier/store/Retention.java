package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;

/// Deletes the oldest captured requests and gives their room back to the disk, a little at a time
/// so that capture goes on in between.
final class Retention {
  private static final int STEP = 500; // rows
  private static final int PAGES = 1024; // of 4 KiB

  private Retention() {}

  static long deleteBefore(Writer writer, Instant cutoff) {
    long total = 0;
    while (true) {
      int deleted = writer.write(connection -> deleteOldest(connection, cutoff.toEpochMilli()));
      giveBack(writer);
      total += deleted;
      if (deleted < STEP) return total;
    }
  }

  /// @param bytes that captured requests may take; what runs keep is theirs
  static long shrinkTo(Writer writer, Reader reader, long bytes) {
    if (reader.read(Retention::usedBytes) <= bytes) return 0;
    long limit = bytes + reader.read(Retention::bytesOfRuns); // all of it: no commit is to wait
    long total = 0;
    while (true) {
      int deleted = writer.write(connection -> deleteExcess(connection, limit));
      giveBack(writer);
      if (deleted == 0) return total;
      total += deleted;
    }
  }

  private static int deleteOldest(Connection connection, long before) throws SQLException {
    var sql =
        "DELETE FROM captured WHERE seq IN"
            + " (SELECT seq FROM captured WHERE time < ? ORDER BY seq LIMIT ?)";
    try (var statement = connection.prepareStatement(sql)) {
      statement.setLong(1, before);
      statement.setInt(2, STEP);
      return statement.executeUpdate();
    }
  }

  /// Deletes as many of the oldest as there are bytes too many; 0 if there are none. How much room
  /// that frees is known only then, so there may be more to delete.
  private static int deleteExcess(Connection connection, long limit) throws SQLException {
    long excess = usedBytes(connection) - limit;
    if (excess <= 0) return 0;
    var sql = "DELETE FROM captured WHERE seq <= ?";
    try (var statement = connection.prepareStatement(sql)) {
      statement.setLong(1, lastOf(connection, excess));
      return statement.executeUpdate();
    }
  }

  /// The last of the oldest rows, [#STEP] at most, that hold so many bytes together.
  private static long lastOf(Connection connection, long bytes) throws SQLException {
    var sql =
        "SELECT seq, length(request) + length(response) + ifnull(length(raw_stream), 0)"
            + " FROM captured ORDER BY seq LIMIT "
            + STEP;
    long last = -1;
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      for (long held = 0; held < bytes && rows.next(); held += rows.getLong(2)) {
        last = rows.getLong(1);
      }
    }
    return last;
  }

  private static void giveBack(Writer writer) {
    while (writer.write(Retention::vacuum)) {}
  }

  /// Cuts free pages off the file; whether there are more.
  private static boolean vacuum(Connection connection) throws SQLException {
    long free = pragma(connection, "freelist_count");
    if (free == 0) return false;
    try (var statement = connection.createStatement()) {
      // not execute(): a page is a step of this statement, and that makes one
      statement.executeUpdate("PRAGMA incremental_vacuum(%d)".formatted(PAGES));
    }
    long left = pragma(connection, "freelist_count");
    return left > 0 && left < free; // a file of another making may not give any back
  }

  private static long usedBytes(Connection connection) throws SQLException {
    return pragma(connection, "page_size")
        * (pragma(connection, "page_count") - pragma(connection, "freelist_count"));
  }

  private static long bytesOfRuns(Connection connection) throws SQLException {
    var sql =
        "SELECT (SELECT ifnull(sum(length(body)), 0) FROM trajectory)"
            + " + (SELECT ifnull(sum(length(scores)), 0) FROM verdict)"
            + " + (SELECT ifnull(sum(length(metrics)), 0) FROM run_step)";
    try (var statement = connection.createStatement()) {
      return statement.executeQuery(sql).getLong(1);
    }
  }

  private static long pragma(Connection connection, String name) throws SQLException {
    try (var statement = connection.createStatement()) {
      return statement.executeQuery("PRAGMA " + name).getLong(1);
    }
  }
}

package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;

/// Deletes the oldest captured requests, a few at a time so that capture goes on in between.
final class Retention {
  private static final int STEP = 500;
  private static final int FEW = 16; // of any size: no more go than room needs

  private Retention() {}

  static long deleteBefore(Writer writer, Instant cutoff) {
    long total = 0;
    while (true) {
      int deleted =
          writer.write(connection -> deleteOldest(connection, cutoff.toEpochMilli(), STEP));
      total += deleted;
      if (deleted < STEP) return total;
    }
  }

  static long shrinkTo(Writer writer, long bytes) {
    long total = 0;
    while (writer.write(Retention::usedBytes) > bytes) {
      int deleted = writer.write(connection -> deleteOldest(connection, Long.MAX_VALUE, FEW));
      if (deleted == 0) return total;
      total += deleted;
    }
    return total;
  }

  private static int deleteOldest(Connection connection, long before, int most)
      throws SQLException {
    var sql =
        "DELETE FROM captured WHERE seq IN"
            + " (SELECT seq FROM captured WHERE time < ? ORDER BY seq LIMIT ?)";
    try (var statement = connection.prepareStatement(sql);
        var vacuum = connection.createStatement()) {
      statement.setLong(1, before);
      statement.setInt(2, most);
      int deleted = statement.executeUpdate();
      vacuum.executeUpdate("PRAGMA incremental_vacuum"); // execute() would end after one page
      return deleted;
    }
  }

  private static long usedBytes(Connection connection) throws SQLException {
    return pragma(connection, "page_size")
        * (pragma(connection, "page_count") - pragma(connection, "freelist_count"));
  }

  private static long pragma(Connection connection, String name) throws SQLException {
    try (var statement = connection.createStatement()) {
      return statement.executeQuery("PRAGMA " + name).getLong(1);
    }
  }
}

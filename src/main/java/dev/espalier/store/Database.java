package dev.espalier.store;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConfig.JournalMode;
import org.sqlite.SQLiteConfig.SynchronousMode;

/// The SQLite file: how it is created and how connections to it are set up.
final class Database {
  /// How long a connection waits for another process that writes.
  private static final int BUSY_MS = 10_000;

  /// Moves what it can of the log without waiting for anybody.
  static final String CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)";

  /// The version of the newest file in `db`.
  static final String NEWEST = "2";

  private static final String HISTORY = "flyway_schema_history"; // Flyway's

  private static final Logger FLYWAY_LOG = Logger.getLogger("org.flywaydb");

  private Database() {}

  /// Creates the file where it is missing and brings its tables to the newest version.
  static void create(Path file) {
    try {
      createOwn(file);
    } catch (IOException e) {
      throw new StoreException(
          "cannot create %s: name a folder you may write to with --data".formatted(file), e);
    }
    SqliteLibrary.unpack();
    FLYWAY_LOG.setLevel(Level.WARNING);
    try {
      if (prepare(file).equals(NEWEST)) return; // loading Flyway takes longer than all else here
      Flyway.configure()
          .dataSource(url(file), null, null)
          .locations("classpath:db")
          .createSchemas(false)
          .load()
          .migrate();
    } catch (SQLException | FlywayException e) {
      if (!Files.isWritable(file) || !Files.isWritable(file.toAbsolutePath().getParent())) {
        throw new StoreException(
            "cannot write to %s: name a folder you may write to with --data".formatted(file), e);
      }
      throw new StoreException(
          "cannot open %s: %s; restore it from a backup or name another folder with --data"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /// Creates an empty file and its folder for their owner alone, as prompts are nobody else's; what
  /// SQLite puts beside the file has its permissions. What is there already is left as it is.
  private static void createOwn(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent(), only("rwx------"));
    try {
      if (!Files.exists(file)) Files.createFile(file, only("rw-------"));
    } catch (FileAlreadyExistsException e) {
      return; // by another process just now
    }
  }

  private static FileAttribute<?> only(String permissions) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
  }

  /// Makes settings that belong to the file; auto_vacuum can be chosen only while it is empty, and
  /// retention needs it to give space back.
  ///
  /// @return the version of its tables, empty if there are none
  private static String prepare(Path file) throws SQLException {
    try (var connection = DriverManager.getConnection(url(file));
        var statement = connection.createStatement()) {
      statement.execute("PRAGMA auto_vacuum = INCREMENTAL");
      statement.execute("PRAGMA journal_mode = WAL");
      var tables =
          statement.executeQuery(
              "SELECT count(*) FROM sqlite_master WHERE name = '%s'".formatted(HISTORY));
      if (tables.getInt(1) == 0) return "";
      var row =
          statement.executeQuery(
              "SELECT version FROM %s WHERE success = 1 ORDER BY installed_rank DESC LIMIT 1"
                  .formatted(HISTORY));
      return row.next() ? row.getString(1) : "";
    }
  }

  static Connection writing(Path file, Durability durability) throws SQLException {
    var config = new SQLiteConfig();
    config.setSynchronous(SynchronousMode.valueOf(durability.synchronous()));
    var connection = connect(file, config);
    try (var statement = connection.createStatement()) {
      statement.execute("PRAGMA wal_autocheckpoint = 0"); // Checkpoints makes them
    }
    return connection;
  }

  static Connection reading(Path file) throws SQLException {
    return connect(file, new SQLiteConfig());
  }

  private static Connection connect(Path file, SQLiteConfig config) throws SQLException {
    config.setJournalMode(JournalMode.WAL);
    config.setBusyTimeout(BUSY_MS);
    config.enforceForeignKeys(true);
    return config.createConnection(url(file));
  }

  private static String url(Path file) {
    return "jdbc:sqlite:" + file.toAbsolutePath();
  }
}

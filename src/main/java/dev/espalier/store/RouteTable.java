package dev.espalier.store;

import dev.espalier.chat.Json;
import dev.espalier.store.Route.Target;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/// SQL over routes.
final class RouteTable {
  private RouteTable() {}

  static List<Route> all(Connection connection) throws SQLException {
    return Rows.all(connection, "SELECT * FROM route ORDER BY model", RouteTable::read);
  }

  static void put(Connection connection, Route route) throws SQLException {
    var fallback = route.fallback();
    Rows.put(
        connection,
        "INSERT OR REPLACE INTO route (model, target, fallback) VALUES (?, ?, ?)",
        route.model(),
        route.target().json().toString(),
        fallback == null ? null : fallback.json().toString());
  }

  static boolean delete(Connection connection, String model) throws SQLException {
    return Rows.delete(connection, "DELETE FROM route WHERE model = ?", model);
  }

  private static Route read(ResultSet row) throws SQLException {
    var fallback = row.getString("fallback");
    return new Route(
        row.getString("model"),
        Target.of(Json.parse(row.getString("target"))),
        fallback == null ? null : Target.of(Json.parse(fallback)));
  }
}

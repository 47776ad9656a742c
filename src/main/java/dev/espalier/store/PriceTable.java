package dev.espalier.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/// SQL over prices.
final class PriceTable {
  private PriceTable() {}

  static Map<String, Price> all(Connection connection) throws SQLException {
    var prices =
        Rows.all(
            connection,
            "SELECT * FROM price",
            row ->
                new Price(
                    row.getString("model"),
                    row.getDouble("input"),
                    row.getDouble("output"),
                    row.getDouble("cached_input")));
    return prices.stream().collect(Collectors.toUnmodifiableMap(Price::model, Function.identity()));
  }

  static void put(Connection connection, Price price) throws SQLException {
    Rows.put(
        connection,
        "INSERT OR REPLACE INTO price (model, input, output, cached_input) VALUES (?, ?, ?, ?)",
        price.model(),
        price.input(),
        price.output(),
        price.cachedInput());
  }
}

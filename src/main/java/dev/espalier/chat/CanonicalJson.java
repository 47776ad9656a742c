package dev.espalier.chat;

import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/// One text for every JSON value: two values are equal exactly when their texts are.
///
/// Numbers are compared by value (`1`, `1.0` and `1e0` are one), the order of an object's fields
/// does not count, that of an array's elements does, and `"1"` is not `1`.
public final class CanonicalJson {
  private CanonicalJson() {}

  public static String of(JsonNode value) {
    var out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  private static void write(JsonNode value, StringBuilder out) {
    if (value.isNumber()) {
      out.append(value.decimalValue().stripTrailingZeros());
      return;
    }
    if (value.isArray()) {
      var separator = '[';
      for (var element : value) {
        out.append(separator);
        write(element, out);
        separator = ',';
      }
      out.append(value.isEmpty() ? "[]" : "]");
      return;
    }
    if (value.isObject()) {
      var fields = new TreeMap<String, JsonNode>();
      value.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
      var separator = '{';
      for (var field : fields.entrySet()) {
        out.append(separator).append(Json.write(field.getKey())).append(':');
        write(field.getValue(), out);
        separator = ',';
      }
      out.append(fields.isEmpty() ? "{}" : "}");
      return;
    }
    out.append(value);
  }
}

package dev.espalier.template;

import java.util.ArrayList;
import java.util.HashMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// JSON as the values of a template. Text is shared, not copied.
final class JsonValues {
  private JsonValues() {}

  static Scope scope(ObjectNode variables) {
    var values = new HashMap<String, Object>();
    for (var variable : variables.properties()) {
      values.put(variable.getKey(), value(variable.getValue()));
    }
    return new Scope(values);
  }

  static Object value(JsonNode node) {
    return switch (node.getNodeType()) {
      case STRING -> node.stringValue();
      case BOOLEAN -> node.booleanValue();
      case NUMBER -> number(node);
      case ARRAY -> {
        var list = new ArrayList<Object>(node.size());
        for (var item : node) {
          list.add(value(item));
        }
        yield list;
      }
      case OBJECT -> {
        var dict = new Dict();
        for (var entry : node.properties()) {
          dict.put(entry.getKey(), value(entry.getValue()));
        }
        yield dict;
      }
      case NULL, MISSING -> Value.None.NONE;
      case BINARY, POJO ->
          throw new IllegalArgumentException("not JSON: a node of type " + node.getNodeType());
    };
  }

  private static Object number(JsonNode node) {
    if (node.isFloatingPointNumber()) {
      return node.doubleValue();
    }
    return node.canConvertToLong() ? node.longValue() : Numbers.whole(node.bigIntegerValue());
  }
}

package dev.espalier.gateway;

import java.util.LinkedHashMap;
import java.util.Map;

/// Tags of a request: `x-espalier-tags: a=b,c=d`, and OpenAI's `metadata` in the body.
final class Tags {
  private Tags() {}

  static Map<String, String> of(Exchange exchange) {
    var tags = new LinkedHashMap<String, String>();
    for (var entry : exchange.json().path("metadata").properties()) {
      var value = entry.getValue();
      tags.put(entry.getKey(), value.isString() ? value.asString() : value.toString());
    }
    var header = exchange.header(Exchange.TAGS);
    if (header != null) tags.putAll(parse(header));
    return tags;
  }

  /// @throws ApiError if it is not a list of NAME=VALUE
  static Map<String, String> parse(String header) {
    var tags = new LinkedHashMap<String, String>();
    for (var part : header.split(",", -1)) {
      if (part.isBlank()) continue;
      int equals = part.indexOf('=');
      if (equals < 1 || part.substring(0, equals).isBlank()) {
        throw ApiError.badRequest(
            "x-espalier-tags must look like name=value,name=value; \"%s\" does not"
                .formatted(part.strip()),
            null);
      }
      tags.put(part.substring(0, equals).strip(), part.substring(equals + 1).strip());
    }
    return tags;
  }
}

package dev.espalier.gateway;

import dev.espalier.chat.Json;
import java.io.ByteArrayOutputStream;
import tools.jackson.core.JsonToken;

/// The model's name in a request's bytes.
final class ModelName {
  private ModelName() {}

  /// The same bytes with another name; nothing else is touched, not even white space.
  static byte[] replace(byte[] body, String name) {
    var out = new ByteArrayOutputStream(body.length + name.length());
    int copied = 0;
    try (var parser = Json.MAPPER.createParser(body)) {
      int depth = 0;
      for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token.isStructStart()) depth++;
        if (token.isStructEnd()) depth--;
        boolean field = token == JsonToken.PROPERTY_NAME && depth == 1;
        if (!field || !parser.currentName().equals("model")) continue;
        parser.nextToken();
        int start = (int) parser.currentTokenLocation().getByteOffset();
        parser.getString(); // reads the value to its end
        int end = (int) parser.currentLocation().getByteOffset();
        out.write(body, copied, start - copied);
        out.writeBytes(Json.MAPPER.writeValueAsBytes(name));
        copied = end;
      }
    }
    out.write(body, copied, body.length - copied);
    return out.toByteArray();
  }
}

package dev.espalier.chat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Reads the data of server-sent events, one after the other (WHATWG HTML, section 9.2).
public final class EventStream {
  private final BufferedReader lines;

  public EventStream(InputStream in) {
    lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
  }

  /// The next event's data, its lines joined; null when the stream ends. An event that the end cuts
  /// off is dropped, as the specification says.
  ///
  /// @throws IOException if the connection breaks
  public @Nullable String next() throws IOException {
    StringBuilder data = null;
    for (var line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isEmpty()) {
        if (data != null) return data.toString();
        continue;
      }
      if (!line.startsWith("data:")) continue; // a comment, or a field that is not the data
      var value = line.substring(line.startsWith("data: ") ? 6 : 5);
      if (data == null) data = new StringBuilder(value);
      else data.append('\n').append(value);
    }
    return null;
  }
}

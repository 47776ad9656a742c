package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.store.Api;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// Splits a stream of server-sent events into the data of its events, whatever chunks it comes in.
final class SseScanner {
  /// A line beyond this is cut: nothing sensible is that long, and rubbish must not fill the heap.
  private static final int MAX_LINE = 16 << 20;

  private static final Pattern MESSAGE_STOP =
      Pattern.compile("\\{\\s*\"type\"\\s*:\\s*\"message_stop\"");

  private final Api api;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final StringBuilder data = new StringBuilder();
  private boolean lastWasReturn;
  private boolean ended;

  SseScanner(Api api) {
    this.api = api;
  }

  /// Takes the next bytes and returns the data of the events that they complete.
  List<String> feed(byte[] bytes, int length) {
    var events = new ArrayList<String>(1);
    for (int i = 0; i < length; i++) {
      byte b = bytes[i];
      boolean secondOfPair = b == '\n' && lastWasReturn;
      lastWasReturn = b == '\r';
      if (secondOfPair) continue;
      if (b != '\n' && b != '\r') {
        if (line.size() < MAX_LINE) line.write(b);
        continue;
      }
      endLine(events);
    }
    return events;
  }

  /// Whether the event that ends a stream has come: OpenAI's `[DONE]`, Anthropic's `message_stop`.
  boolean ended() {
    return ended;
  }

  private void endLine(List<String> events) {
    var text = line.toString(UTF_8);
    line.reset();
    if (text.isEmpty()) {
      if (!data.isEmpty()) events.add(data.toString());
      data.setLength(0);
      return;
    }
    if (!text.startsWith("data:")) return;
    if (!data.isEmpty()) data.append('\n');
    data.append(text, text.startsWith("data: ") ? 6 : 5, text.length());
    // A client that saw the line may act on it: it need not wait for the blank one.
    if (ends(text)) ended = true;
  }

  private boolean ends(String text) {
    return switch (api) {
      case OPENAI -> text.endsWith("[DONE]") && data.toString().strip().equals("[DONE]");
      case ANTHROPIC -> text.contains("\"message_stop\"") && MESSAGE_STOP.matcher(text).find();
    };
  }
}

package dev.espalier.gateway;

import dev.espalier.store.Api;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// What came of a response, and, of a stream, the message that its events make up.
final class Transcript {
  /// A longer response is forwarded whole and stored cut.
  static final int MAX_STORED = 64 << 20;

  private final ByteArrayOutputStream raw = new ByteArrayOutputStream();
  private final @Nullable SseScanner scanner;
  private final Assembler assembler;
  private final Queue<String> events = new ArrayDeque<>();
  private boolean cut;

  Transcript(Api api, boolean streamed) {
    scanner = streamed ? new SseScanner(api) : null;
    assembler = Assembler.of(api);
  }

  /// Takes the next bytes. Cheap: nothing is parsed, so a chunk can be sent on first.
  void add(byte[] chunk) {
    if (raw.size() + chunk.length <= MAX_STORED) raw.writeBytes(chunk);
    else cut = true;
    if (scanner != null && !cut) events.addAll(scanner.feed(chunk, chunk.length));
  }

  /// Parses the events that have come since the last time.
  void assemble() {
    for (var event = events.poll(); event != null; event = events.poll()) assembler.accept(event);
  }

  boolean streamed() {
    return scanner != null;
  }

  /// Whether the event that ends a stream has come.
  boolean ended() {
    return scanner != null && scanner.ended();
  }

  /// Whether a stream told its whole answer; a plain response has where its bytes have.
  boolean whole() {
    return scanner == null || scanner.ended() || assembler.finished();
  }

  boolean cut() {
    return cut;
  }

  byte[] raw() {
    return raw.toByteArray();
  }

  /// The message of a stream; null for a plain response, or where no event was understood.
  @Nullable ObjectNode message() {
    return scanner == null ? null : assembler.message();
  }
}

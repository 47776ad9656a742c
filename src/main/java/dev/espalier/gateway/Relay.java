package dev.espalier.gateway;

import dev.espalier.chat.ChatException;
import dev.espalier.store.Outcome;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;

/// Hands an upstream's response on to the client, byte for byte, and its record to the recorder
/// before the last of them.
///
/// A stream's chunks go out as they come. The chunk that ends it, like the last one of a plain
/// response, is held until the record is committed.
final class Relay {
  private final Recorder recorder;
  private final Exchange exchange;
  private final Served served;
  private final UpstreamCall.Response upstream;
  private final Transcript transcript;
  private final long firstByteMs;
  private final OutputStream out;
  private byte[] held = {};
  private int recordedBytes = -1;

  Relay(
      Recorder recorder,
      Exchange exchange,
      Served served,
      UpstreamCall.Response upstream,
      ServerResponse response) {
    this.recorder = recorder;
    this.exchange = exchange;
    this.served = served;
    this.upstream = upstream;
    this.transcript = new Transcript(exchange.api(), isEventStream(upstream));
    this.firstByteMs = exchange.elapsedMs();
    head(response);
    this.out = response.outputStream();
  }

  void run() {
    try {
      for (var chunk = upstream.first(); chunk != null; chunk = upstream.next()) pass(chunk);
      end();
    } catch (ClientGone e) {
      if (recordedBytes < 0) record(Outcome.CLIENT_GONE);
      throw new CloseConnectionException("the client went away", e);
    } catch (IOException | ChatException e) {
      throw broken(e);
    }
  }

  private static boolean isEventStream(UpstreamCall.Response upstream) {
    var type = upstream.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
    return type.startsWith("text/event-stream");
  }

  private void head(ServerResponse response) {
    response.status(upstream.status());
    for (var header : upstream.headers()) {
      if (UpstreamCall.forwarded(header)) response.header(header);
    }
    var length = upstream.headers().contentLength();
    if (length.isPresent() && !transcript.streamed()) response.contentLength(length.getAsLong());
    response.header(Exchange.REQUEST_ID, exchange.id());
  }

  private void pass(byte[] chunk) {
    transcript.add(chunk);
    if (transcript.streamed()) {
      if (transcript.ended() && recordedBytes < 0) record(Outcome.COMPLETE);
      send(chunk);
      transcript.assemble();
    } else {
      send(held);
      held = chunk;
    }
  }

  private void end() {
    record(transcript.whole() ? Outcome.COMPLETE : Outcome.TRUNCATED);
    send(held);
    ClientGone.onFailure(out::close);
  }

  private void send(byte[] chunk) {
    ClientGone.onFailure(() -> {
      out.write(chunk);
      if (transcript.streamed()) out.flush();
    });
  }

  /// Where the upstream breaks off, or the gateway is stopped, the client gets what came and then
  /// the cut: its connection is closed without the end of a response.
  private CloseConnectionException broken(Exception cause) {
    if (recordedBytes < 0) record(Outcome.TRUNCATED);
    if (Thread.currentThread().isInterrupted()) { // nothing more can be sent
      return new CloseConnectionException("the gateway is shutting down", cause);
    }
    try {
      send(held);
      ClientGone.onFailure(out::flush);
    } catch (ClientGone e) {
      cause.addSuppressed(e);
    }
    return new CloseConnectionException("upstream broke off", cause);
  }

  /// Records what has come, and again only if more has come since.
  private void record(Outcome outcome) {
    var raw = transcript.raw();
    if (raw.length == recordedBytes) return;
    var first = recordedBytes < 0;
    recordedBytes = raw.length;
    transcript.assemble();
    var answer =
        new Answer(
            served,
            upstream.status(),
            outcome,
            transcript.streamed(),
            raw,
            transcript.message(),
            firstByteMs,
            transcript.cut());
    if (first) recorder.record(exchange, answer);
    else recorder.amend(exchange, answer);
  }
}

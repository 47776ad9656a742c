package dev.espalier.gateway;

import dev.espalier.chat.ChatException;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Answers an exchange with an upstream's response. A thread of its own reads that, so that a
/// client that leaves while the upstream is silent is noticed, and the call ended.
final class UpstreamAnswer {
  private static final int AHEAD = 16; // chunks that were read and not sent on yet

  private final Recorder recorder;
  private final Exchange exchange;
  private final Served served;
  private final ServerResponse response;
  private @Nullable Relay relay; // once there is something to send on

  UpstreamAnswer(Recorder recorder, Exchange exchange, Served served, ServerResponse response) {
    this.recorder = recorder;
    this.exchange = exchange;
    this.served = served;
    this.response = response;
  }

  /// False if the upstream answered with an error that a fallback is for.
  ///
  /// @param call sends the request
  /// @param last whether there is no fallback
  /// @throws ApiError if there is no answer and nothing was sent yet
  boolean run(Supplier<UpstreamCall.Response> call, boolean last) {
    try {
      return Aside.run(here -> read(call, last, here), this::silent);
    } catch (ClientGone e) {
      if (relay != null) throw relay.left(e);
      recorder.record(exchange, Answer.toNobody(served, exchange.elapsedMs()));
      throw new CloseConnectionException("the client went away", e);
    } catch (ChatException closing) {
      if (relay != null) throw relay.broken(closing);
      throw ApiError.of(closing);
    }
  }

  /// @param here runs what writes
  private boolean read(Supplier<UpstreamCall.Response> call, boolean last, Executor here) {
    try (var upstream = call.get()) {
      boolean failed = upstream.status() == 429 || upstream.status() >= 500;
      if (failed && !last) return false;
      here.execute(() -> relay = new Relay(recorder, exchange, served, upstream, response));
      pass(upstream, here);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody waits for it any more
    }
    return true;
  }

  private void pass(UpstreamCall.Response upstream, Executor here) throws InterruptedException {
    var room = new Semaphore(AHEAD);
    try {
      for (var chunk = upstream.first(); chunk != null; chunk = upstream.next()) {
        var next = chunk;
        room.acquire();
        here.execute(() -> {
          begun().pass(next);
          room.release();
        });
      }
      here.execute(() -> begun().end());
    } catch (IOException e) {
      here.execute(() -> {
        throw begun().broken(e);
      });
    }
  }

  private Relay begun() {
    return Objects.requireNonNull(relay);
  }

  private void silent() {
    if (Peer.hasLeft(exchange.http())) throw ClientGone.seen();
  }
}

package dev.espalier.gateway;

import dev.espalier.chat.ChatException;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Answers an exchange with an upstream's response.
final class UpstreamAnswer {
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
    try (var upstream = call.get()) {
      boolean failed = upstream.status() == 429 || upstream.status() >= 500;
      if (failed && !last) return false;
      relay = new Relay(recorder, exchange, served, upstream, response);
      for (var chunk = upstream.first(); chunk != null; chunk = upstream.next()) relay.pass(chunk);
      relay.end();
      return true;
    } catch (ClientGone e) {
      if (relay != null) throw relay.left(e);
      recorder.record(exchange, Answer.toNobody(served, exchange.elapsedMs()));
      throw new CloseConnectionException("the client went away", e);
    } catch (IOException e) {
      throw Objects.requireNonNull(relay).broken(e);
    } catch (ChatException stopping) {
      if (relay == null) throw ApiError.of(stopping);
      throw relay.broken(stopping);
    }
  }
}

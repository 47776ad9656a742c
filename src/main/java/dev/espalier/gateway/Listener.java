package dev.espalier.gateway;

import dev.espalier.store.Api;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Starts HTTP servers whose errors have the shape of the API that the client speaks.
final class Listener {
  private static final System.Logger LOG = System.getLogger(Listener.class.getName());

  /// Says with a stack trace that a port is taken. Held on to, as loggers that nobody holds are
  /// forgotten.
  private static final Logger HELIDON = Logger.getLogger("io.helidon.webserver.LoomServer");

  private Listener() {}

  /// @param option the command line's for the port
  /// @param grace how long what is being answered may take once the server is stopped
  /// @throws IllegalArgumentException if the port is taken
  static WebServer start(
      String host, int port, String option, Duration grace, HttpRouting.Builder routing) {
    HELIDON.setLevel(Level.OFF);
    routing
        .any(Listener::unknown)
        .error(ApiError.class, Listener::fail)
        .error(RuntimeException.class, Listener::broken);
    var server =
        WebServer.builder()
            .host(host)
            .port(port)
            .addConnectionSelector(new Http())
            .shutdownHook(false)
            .shutdownGracePeriod(grace)
            .routing(routing)
            .build();
    try {
      server.start();
    } catch (UncheckedIOException | IllegalStateException e) {
      throw new IllegalArgumentException(taken(host, port, option), e);
    }
    if (server.isRunning() && server.port() >= 0) return server; // else Helidon only logged it
    server.stop();
    throw new IllegalArgumentException(taken(host, port, option));
  }

  private static String taken(String host, int port, String option) {
    return "cannot listen on %s:%d: choose another %s".formatted(host, port, option);
  }

  private static void unknown(ServerRequest request, ServerResponse response) {
    var what = request.prologue().method().text() + " " + request.path().path();
    throw new ApiError(404, what + " is not served here", null, "unknown_url");
  }

  private static void broken(ServerRequest request, ServerResponse response, RuntimeException e) {
    LOG.log(System.Logger.Level.ERROR, "a request failed", e);
    fail(request, response, ApiError.internal(e));
  }

  private static void fail(ServerRequest request, ServerResponse response, ApiError error) {
    var api = request.path().path().startsWith("/anthropic") ? Api.ANTHROPIC : Api.OPENAI;
    error.send(api, response);
  }
}

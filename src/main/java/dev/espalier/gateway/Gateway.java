package dev.espalier.gateway;

import dev.espalier.store.Api;
import dev.espalier.store.Store;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Objects;

/// The HTTP server: applications talk to it as they do to their provider.
public final class Gateway implements AutoCloseable {
  private final WebServer server;

  private Gateway(WebServer server) {
    this.server = server;
  }

  /// Starts to serve; the store stays the caller's.
  public static Gateway start(GatewayConfig config, Store store, LocalModels local) {
    var metrics = new Metrics();
    var keys = new Keys(store);
    var routes = new Routes(store, local, config.upstreams());
    var secrets = config.upstreams().stream().map(Upstream::key).filter(Objects::nonNull).toList();
    var recorder =
        new Recorder(store, new Redaction(config.redact(), secrets), metrics, config.patience());
    for (var price : config.prices()) recorder.put(price);
    var upstreams = new UpstreamCall(keys, Egress.of(config));
    var routing = HttpRouting.builder();
    for (var api : Api.values()) {
      var endpoint =
          new ChatEndpoint(api, routes, local, upstreams, recorder, metrics, config.maxBody());
      routing.post(path(api), endpoint);
    }
    routing.get("/health", (req, res) -> send(res, "{\"status\":\"ok\"}", "application/json"));
    routing.get(
        "/metrics", (req, res) -> send(res, metrics.text(store.queuedBytes()), "text/plain"));
    routing.error(ApiError.class, Gateway::fail);
    var server =
        WebServer.builder().host(config.host()).port(config.port()).routing(routing).build();
    return new Gateway(server.start());
  }

  private static String path(Api api) {
    return switch (api) {
      case OPENAI -> "/v1/chat/completions";
      case ANTHROPIC -> "/anthropic/v1/messages";
    };
  }

  private static void send(ServerResponse response, String body, String type) {
    response.header(HeaderNames.CONTENT_TYPE, type).send(body);
  }

  private static void fail(ServerRequest request, ServerResponse response, ApiError error) {
    var api = request.path().path().startsWith("/anthropic") ? Api.ANTHROPIC : Api.OPENAI;
    response
        .status(Status.create(error.status()))
        .header(HeaderNames.CONTENT_TYPE, "application/json")
        .send(error.body(api));
  }

  /// The port that it listens on.
  public int port() {
    return server.port();
  }

  @Override
  public void close() {
    server.stop();
  }
}

package dev.espalier.gateway;

import dev.espalier.store.Api;
import dev.espalier.store.Store;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// The HTTP server: applications talk to it as they do to their provider.
public final class Gateway implements AutoCloseable {
  private static final String PROMETHEUS = "text/plain; version=0.0.4";
  private static final Duration GRACE = Duration.ofSeconds(8); // less than `docker stop` gives
  private static final int RECORDING = 1; // second, for what was broken off
  private static final int ANY = Integer.MAX_VALUE;

  private final WebServer server;
  private final UpstreamCall upstreams;
  private final Semaphore answering;
  private final RetentionJob retention;
  private final boolean restricted;

  private Gateway(
      WebServer server,
      UpstreamCall upstreams,
      Semaphore answering,
      RetentionJob retention,
      boolean restricted) {
    this.server = server;
    this.upstreams = upstreams;
    this.answering = answering;
    this.retention = retention;
    this.restricted = restricted;
  }

  /// Starts to serve; the store stays the caller's.
  ///
  /// @throws IllegalArgumentException if the port is taken
  public static Gateway start(GatewayConfig config, Store store, LocalModels local) {
    return start(config, store, local, GRACE);
  }

  /// @param grace how long what is being answered may take once the gateway is closed
  static Gateway start(GatewayConfig config, Store store, LocalModels local, Duration grace) {
    var metrics = new Metrics();
    var egress = Egress.of(config);
    var keys = new Keys(store);
    var upstreams = new UpstreamCall(keys, egress);
    var answering = new Semaphore(ANY);
    var routing = routing(config, store, local, metrics, keys, upstreams, answering);
    if (egress.restricted()) EgressGuard.enforce(egress);
    var server = Listener.start(config.host(), config.port(), "--port", grace, routing);
    var retention = new RetentionJob(config, store, metrics);
    return new Gateway(server, upstreams, answering, retention, egress.restricted());
  }

  private static HttpRouting.Builder routing(
      GatewayConfig config,
      Store store,
      LocalModels local,
      Metrics metrics,
      Keys keys,
      UpstreamCall upstreams,
      Semaphore answering) {
    var access = new Access(keys, config.requireKey(), config.adminKey());
    var routes = new Routes(store, local, config.upstreams());
    var redaction = new Redaction(config.redact(), config.secrets());
    var recorder = new Recorder(store, redaction, metrics, config.patience());
    for (var price : config.prices()) recorder.put(price);
    var slots = new Semaphore(config.maxConcurrent());
    var routing = HttpRouting.builder();
    for (var api : Api.values()) {
      var endpoint =
          new ChatEndpoint(
              api, routes, local, upstreams, recorder, metrics, access, slots, config.maxBody());
      routing.post(path(api), (req, res) -> counted(answering, endpoint, req, res));
    }
    var models = new ModelsEndpoint(routes, local, upstreams, config);
    return routing
        .get("/v1/models", (req, res) -> checked(access, models, req, res))
        .get("/v1/models/{+model}", (req, res) -> checked(access, models, req, res))
        .register("/api", new AdminApi(routes, keys, recorder, access))
        .get("/health", (req, res) -> send(res, "{\"status\":\"ok\"}", "application/json"))
        .get(
            "/metrics",
            (req, res) ->
                send(res, metrics.text(store.queuedBytes(), local.figures()), PROMETHEUS));
  }

  private static void checked(
      Access access, Handler handler, ServerRequest request, ServerResponse response)
      throws Exception {
    access.checkClient(request);
    handler.handle(request, response);
  }

  /// Handles a request that closing waits for.
  private static void counted(
      Semaphore answering, ChatEndpoint endpoint, ServerRequest request, ServerResponse response) {
    answering.acquireUninterruptibly();
    try {
      endpoint.handle(request, response);
    } finally {
      answering.release();
    }
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

  /// The port that it listens on.
  public int port() {
    return server.port();
  }

  /// Lets what is being answered come to its end, for a while; what is broken off then is recorded
  /// as truncated before this returns.
  @Override
  public void close() {
    retention.close();
    server.stop();
    try {
      if (answering.tryAcquire(ANY, RECORDING, TimeUnit.SECONDS)) answering.release(ANY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    upstreams.close();
    if (restricted) EgressGuard.enforce(null);
  }
}

package dev.espalier.tools;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.modelcontextprotocol.json.TypeRef;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.InitializeRequest;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCMessage;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCNotification;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCRequest;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCResponse;
import io.modelcontextprotocol.spec.McpStreamableServerSession;
import io.modelcontextprotocol.spec.McpStreamableServerTransport;
import io.modelcontextprotocol.spec.McpStreamableServerTransportProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/// The SDK's server sessions behind the JDK's HTTP server: its own transport needs a servlet
/// container.
final class HttpServing implements McpStreamableServerTransportProvider, AutoCloseable {
  private static final String SESSION = "Mcp-Session-Id";

  final Map<String, McpStreamableServerSession> sessions = new ConcurrentHashMap<>();
  final List<String> keys = new CopyOnWriteArrayList<>();
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private McpStreamableServerSession.@Nullable Factory factory;

  HttpServing() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/shop/mcp", this::answer);
    server.start();
  }

  URI address() {
    return URI.create("http://127.0.0.1:%d/shop/mcp".formatted(server.getAddress().getPort()));
  }

  private void answer(HttpExchange exchange) throws IOException {
    var headers = exchange.getRequestHeaders();
    keys.add(String.valueOf(headers.getFirst("Authorization")));
    var id = headers.getFirst(SESSION);
    var session = id == null ? null : sessions.get(id);
    if (id != null && session == null) {
      reply(exchange, 404, "");
      return;
    }
    if (exchange.getRequestMethod().equals("DELETE")) {
      Objects.requireNonNull(sessions.remove(id)).delete().block();
      reply(exchange, 200, "");
      return;
    }
    if (!exchange.getRequestMethod().equals("POST")) {
      reply(exchange, 405, "");
      return;
    }
    var body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    switch (McpSchema.deserializeJsonRpcMessage(McpProcess.MAPPER, body)) {
      case JSONRPCRequest request when session == null -> begin(exchange, request);
      case JSONRPCRequest request -> {
        var answers = new Answers();
        Objects.requireNonNull(session).responseStream(answers).handle(request).block();
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        reply(exchange, 200, answers.events.toString());
      }
      case JSONRPCNotification notification -> {
        Objects.requireNonNull(session).accept(notification).block();
        reply(exchange, 202, "");
      }
      default -> reply(exchange, 400, "");
    }
  }

  private void begin(HttpExchange exchange, JSONRPCRequest request) throws IOException {
    var hello = McpProcess.MAPPER.convertValue(request.params(), InitializeRequest.class);
    var begun = Objects.requireNonNull(factory).startSession(hello);
    sessions.put(begun.session().getId(), begun.session());
    exchange.getResponseHeaders().set(SESSION, begun.session().getId());
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    var result = JSONRPCResponse.result(request.id(), begun.initResult().block());
    reply(exchange, 200, McpProcess.MAPPER.writeValueAsString(result));
  }

  private static void reply(HttpExchange exchange, int status, String text) throws IOException {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /// Keeps what a session says as server-sent events.
  private static final class Answers implements McpStreamableServerTransport {
    private final StringBuilder events = new StringBuilder();

    @Override
    public Mono<Void> sendMessage(JSONRPCMessage message) {
      return Mono.fromRunnable(() -> {
        try {
          var json = McpProcess.MAPPER.writeValueAsString(message);
          events.append("event: message\ndata: ").append(json).append("\n\n");
        } catch (IOException e) {
          throw new IllegalStateException(e);
        }
      });
    }

    @Override
    public Mono<Void> sendMessage(JSONRPCMessage message, String id) {
      return sendMessage(message);
    }

    @Override
    public <T> T unmarshalFrom(Object data, TypeRef<T> type) {
      return McpProcess.MAPPER.convertValue(data, type);
    }

    @Override
    public Mono<Void> closeGracefully() {
      return Mono.empty();
    }
  }

  @Override
  public void setSessionFactory(McpStreamableServerSession.Factory factory) {
    this.factory = factory;
  }

  @Override
  public Mono<Void> notifyClients(String method, Object params) {
    return Mono.empty();
  }

  @Override
  public Mono<Void> closeGracefully() {
    return Mono.fromRunnable(this::close);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}

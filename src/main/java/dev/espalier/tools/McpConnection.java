package dev.espalier.tools;

import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.client.McpSyncClient;
import io.modelcontextprotocol.client.transport.HttpClientStreamableHttpTransport;
import io.modelcontextprotocol.json.schema.JsonSchemaValidator.ValidationResponse;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpError;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.InitializeResult;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// The SDK's client of one server, and in words what went wrong with it.
final class McpConnection implements AutoCloseable {
  private static final Logger SDK = Logger.getLogger("io.modelcontextprotocol");
  private static final Logger REACTOR = Logger.getLogger("reactor"); // held, or its level is lost

  static {
    SDK.setLevel(Level.SEVERE); // what it warns of is in the exceptions here
    REACTOR.setLevel(Level.OFF); // it reports failures that nobody waits for any more
  }

  private final McpSource source;
  private final Duration timeout;
  private final @Nullable McpProcess process;
  private final McpSyncClient client;
  private @Nullable InitializeResult session;

  private McpConnection(
      McpSource source,
      Duration timeout,
      @Nullable McpProcess process,
      McpClientTransport transport) {
    this.source = source;
    this.timeout = timeout;
    this.process = process;
    this.client =
        McpClient.sync(transport)
            .requestTimeout(timeout)
            .initializationTimeout(timeout)
            .clientInfo(McpSchema.Implementation.builder("espalier", "0.1").build())
            .jsonSchemaValidator((schema, value) -> ValidationResponse.asValid(null))
            .build();
  }

  static McpConnection to(McpSource source, Duration timeout) {
    return switch (source) {
      case McpSource.Command command -> {
        var process = new McpProcess(ServerProcess.start(command));
        yield new McpConnection(source, timeout, process, process);
      }
      case McpSource.Url url -> new McpConnection(source, timeout, null, http(url, timeout));
    };
  }

  private static McpClientTransport http(McpSource.Url url, Duration timeout) {
    var address = url.address();
    var path = address.getRawPath().isEmpty() ? "/" : address.getRawPath();
    return HttpClientStreamableHttpTransport.builder(address.resolve("/").toString())
        .endpoint(address.getRawQuery() == null ? path : path + "?" + address.getRawQuery())
        .connectTimeout(timeout)
        .jsonMapper(McpProcess.MAPPER)
        .addHttpRequestCustomizer(
            (request, method, uri, body, context) -> url.headers().forEach(request::setHeader))
        .build();
  }

  /// Begins the session.
  InitializeResult begin() {
    var begun = ask("open a session", McpSyncClient::initialize);
    session = begun;
    return begun;
  }

  /// Asks the server for something.
  ///
  /// @param what the server is to do, for people
  /// @throws McpError if the server is well and refuses
  /// @throws McpException if it did not answer
  <T> T ask(String what, Function<McpSyncClient, T> request) {
    T answer;
    try {
      answer = request.apply(client);
    } catch (RuntimeException e) {
      boolean gone = process != null && process.ended();
      if (e instanceof McpError refusal && !gone) throw refusal;
      throw failure(what, e, gone);
    }
    if (lost()) throw new McpException("the MCP server \"%s\" lost the session".formatted(source));
    return answer;
  }

  /// The SDK begins a new session in silence, and what was done in the old one is lost.
  @SuppressWarnings("ReferenceEquality") // a new session's greeting is equal to the old one's
  private boolean lost() {
    return session != null && client.getCurrentInitializationResult() != session;
  }

  private McpException failure(String what, RuntimeException cause, boolean gone) {
    var why = gone ? "" : why(cause);
    var state = process == null ? "" : process.state();
    return new McpException(
        "the MCP server \"%s\" did not %s%s%s".formatted(source, what, why, state), cause);
  }

  private String why(Throwable failure) {
    Throwable root = failure;
    for (Throwable it = failure; it != null; it = it.getCause()) {
      if (it instanceof TimeoutException) return " within %s s".formatted(timeout.toMillis() / 1e3);
      if (it instanceof ConnectException) return ": nothing answers there, is it started?";
      root = it;
    }
    return ": " + root;
  }

  @Override
  public void close() {
    if (!client.closeGracefully()) client.close();
    if (process != null) process.close();
  }
}

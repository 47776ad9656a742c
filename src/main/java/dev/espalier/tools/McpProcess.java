package dev.espalier.tools;

import dev.espalier.chat.Json;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.json.TypeRef;
import io.modelcontextprotocol.json.jackson3.JacksonMcpJsonMapper;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCMessage;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCRequest;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/// A server that is a child process: JSON-RPC messages over its standard input and output, one a
/// line.
///
/// In place of the SDK's transport (2.1.0), which leaves a caller waiting for the time-out when the
/// process has died (java-sdk #959) or has written a line that is no message, and waits for ever
/// for a process that will not end (#937). Here such lines are skipped, as the other SDKs do, and
/// told with whatever fails later.
final class McpProcess implements McpClientTransport {
  static final McpJsonMapper MAPPER = new JacksonMcpJsonMapper(Json.MAPPER);
  private static final int CONNECTION_CLOSED = -32000; // the code that the other SDKs use

  private final ServerProcess process;
  private final Writer in;
  private final ExecutorService writer =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("mcp-write").factory());
  private final Set<Object> awaited = ConcurrentHashMap.newKeySet();
  private final AtomicInteger strayLines = new AtomicInteger();

  private volatile boolean ended;
  private volatile @Nullable String firstStray;

  McpProcess(ServerProcess process) {
    this.process = process;
    this.in = process.input();
  }

  @Override
  public Mono<Void> connect(Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> handler) {
    return Mono.fromRunnable(() -> ServerProcess.thread("mcp-read", () -> read(handler)));
  }

  private void read(Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> handler) {
    try (var out = process.output()) {
      for (var line = out.readLine(); line != null; line = out.readLine()) {
        var message = message(line);
        if (message == null) continue;
        if (message instanceof JSONRPCResponse response && response.id() != null) {
          awaited.remove(response.id());
        }
        handler.apply(Mono.just(message)).subscribe();
      }
    } catch (IOException e) {
      // the process was stopped while it wrote
    }
    process.awaitEnd();
    ended = true;
    for (var id : awaited) {
      var error = new JSONRPCResponse.JSONRPCError(CONNECTION_CLOSED, "the server ended", null);
      handler.apply(Mono.just(JSONRPCResponse.error(id, error))).subscribe();
    }
  }

  private @Nullable JSONRPCMessage message(String line) {
    try {
      return McpSchema.deserializeJsonRpcMessage(MAPPER, line);
    } catch (IOException | RuntimeException e) {
      if (firstStray == null) firstStray = ServerProcess.shortened(line);
      strayLines.incrementAndGet();
      return null;
    }
  }

  @Override
  public Mono<Void> sendMessage(JSONRPCMessage message) {
    if (message instanceof JSONRPCRequest request) awaited.add(request.id());
    // a pipe that the server does not read blocks its writer: not the caller, who has a time-out
    return Mono.<Void>fromRunnable(() -> write(message))
        .subscribeOn(Schedulers.fromExecutorService(writer));
  }

  private void write(JSONRPCMessage message) {
    if (ended) throw new IllegalStateException("the server ended");
    try {
      in.write(MAPPER.writeValueAsString(message) + "\n");
      in.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Whether the process is there no more.
  boolean ended() {
    return ended || !process.alive();
  }

  /// What is to be known of it when something failed, for people; may be empty.
  String state() {
    var out = new StringBuilder();
    if (ended()) out.append("; it ended with exit code ").append(process.exitCode());
    if (firstStray != null) {
      out.append(
          "; it wrote %d lines to standard output that are no MCP message, the first: %s"
              .formatted(strayLines.get(), firstStray));
      out.append(" (a server's log belongs on standard error)");
    }
    var errors = process.lastErrors();
    if (!errors.isEmpty()) out.append("; its standard error ends with: ").append(errors);
    return out.toString();
  }

  @Override
  public <T> T unmarshalFrom(Object data, TypeRef<T> type) {
    return MAPPER.convertValue(data, type);
  }

  @Override
  public Mono<Void> closeGracefully() {
    return Mono.fromRunnable(this::close);
  }

  /// Ends the process, and returns when it is gone.
  @Override
  public void close() {
    process.stop();
    writer.shutdownNow();
  }
}

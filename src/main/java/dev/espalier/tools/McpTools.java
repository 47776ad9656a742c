package dev.espalier.tools;

import dev.espalier.chat.Json;
import io.modelcontextprotocol.client.McpSyncClient;
import io.modelcontextprotocol.spec.McpError;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.InitializeResult;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ArrayNode;

/// A session with one MCP server: its tools, called, and its resources, read.
///
/// What a tool makes of a call, its errors included, is a result; a server that is gone, hangs or
/// has lost the session is an [McpException]. Closing it ends the session, and the server if it is
/// a process of ours.
public final class McpTools implements AutoCloseable {
  /// Something that the server has to read.
  public record Resource(String uri, String name, String description) {}

  private final McpConnection connection;
  private final InitializeResult session;
  private final List<Tool> tools;

  private McpTools(McpConnection connection, InitializeResult session, List<Tool> tools) {
    this.connection = connection;
    this.session = session;
    this.tools = List.copyOf(tools);
  }

  /// Reaches a server and begins a session.
  ///
  /// @param timeout how long it may take to answer one request
  /// @throws McpException if it cannot be reached or has no tools
  public static McpTools open(McpSource source, Duration timeout) {
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("a time-out must be positive, not " + timeout);
    }
    var connection = McpConnection.to(source, timeout);
    try {
      var session = connection.begin();
      boolean any = session.capabilities().tools() != null;
      var tools = any ? connection.ask("list its tools", it -> it.listTools().tools()) : null;
      if (tools == null || tools.isEmpty()) {
        throw new McpException("the MCP server \"%s\" has no tools".formatted(source));
      }
      return new McpTools(connection, session, tools);
    } catch (McpError e) {
      connection.close();
      throw new McpException("the MCP server \"%s\" refuses: %s".formatted(source, e), e);
    } catch (RuntimeException | Error e) {
      connection.close();
      throw e;
    }
  }

  /// The server's tools in OpenAI's format, with their JSON schemas as they are.
  public ArrayNode tools() {
    var out = Json.array();
    for (var tool : tools) {
      var function = out.addObject().put("type", "function").putObject("function");
      function.put("name", tool.name());
      if (tool.description() != null) function.put("description", tool.description());
      function.set("parameters", Json.MAPPER.valueToTree(tool.inputSchema()));
    }
    return out;
  }

  /// What the server says about its use; empty if it says nothing.
  public String instructions() {
    return Objects.requireNonNullElse(session.instructions(), "");
  }

  /// What there is to read; none if the server has no resources.
  ///
  /// @throws McpException if it cannot be listed
  public List<Resource> resources() {
    if (session.capabilities().resources() == null) return List.of();
    return required("list its resources", McpSyncClient::listResources).resources().stream()
        .map(it ->
            new Resource(it.uri(), it.name(), Objects.requireNonNullElse(it.description(), "")))
        .toList();
  }

  /// The text of a resource.
  ///
  /// @throws McpException if it cannot be read
  public String read(Resource resource) {
    var request = McpSchema.ReadResourceRequest.builder(resource.uri()).build();
    return McpText.resource(required("read " + resource.uri(), it -> it.readResource(request)));
  }

  private <T> T required(String what, Function<McpSyncClient, T> request) {
    try {
      return connection.ask(what, request);
    } catch (McpError e) {
      throw new McpException("the MCP server did not %s: %s".formatted(what, e.getMessage()), e);
    }
  }

  /// Calls a tool: the text of its result, or an object with `error`.
  ///
  /// @param arguments as the model wrote them; blank is none
  /// @throws McpException if the server did not answer
  public String call(String tool, String arguments) {
    var names = tools.stream().map(Tool::name).toList();
    if (!names.contains(tool)) {
      return McpText.error("there is no tool %s; there are %s".formatted(tool, names));
    }
    Map<String, Object> given = new LinkedHashMap<>();
    try {
      var json = arguments.isBlank() ? Json.object() : Json.parse(arguments);
      if (!json.isObject()) return McpText.error("the arguments are no JSON object");
      json.properties().forEach(field -> given.put(field.getKey(), field.getValue()));
    } catch (JacksonException e) {
      return McpText.error("the arguments are not JSON");
    }
    var request = McpSchema.CallToolRequest.builder(tool).arguments(given).build();
    try {
      return McpText.result(
          connection.ask("answer the call of " + tool, it -> it.callTool(request)));
    } catch (McpError e) {
      return McpText.error(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}

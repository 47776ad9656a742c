package dev.espalier.tools;

import dev.espalier.chat.Json;
import io.modelcontextprotocol.json.schema.JsonSchemaValidator.ValidationResponse;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServerFeatures.SyncResourceSpecification;
import io.modelcontextprotocol.server.McpServerFeatures.SyncToolSpecification;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import io.modelcontextprotocol.spec.McpSchema.ReadResourceResult;
import io.modelcontextprotocol.spec.McpSchema.Resource;
import io.modelcontextprotocol.spec.McpSchema.TextContent;
import io.modelcontextprotocol.spec.McpSchema.TextResourceContents;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.core.type.TypeReference;

/// Shopping lists as MCP tools and a resource, a list for each session.
final class ShoppingList {
  static final String ITEM =
      """
      {"type":"object","properties":{"item":{"type":"string","minLength":1},\
      "amount":{"anyOf":[{"type":"integer","minimum":1},{"type":"string","pattern":"^[0-9]+ kg$"}]}},\
      "required":["item"],"additionalProperties":false,"$defs":{"nothing":{"const":null}}}\
      """;
  static final String NONE = "{\"type\":\"object\",\"properties\":{}}";

  private final Map<String, Map<String, String>> lists = new ConcurrentHashMap<>();

  /// What a tool does with a list, or throws with what is wrong.
  private interface Action {
    String on(Map<String, String> list, Map<String, Object> arguments);
  }

  McpServer.SyncSpecification<?> serve(McpServer.SyncSpecification<?> server) {
    return server
        .serverInfo("shopping", "1")
        .jsonMapper(McpProcess.MAPPER)
        .jsonSchemaValidator((schema, value) -> ValidationResponse.asValid(null))
        .validateToolInputs(false)
        .instructions("A list for the shop.")
        .tools(
            tool("add_item", ITEM, ShoppingList::add),
            tool("remove_item", ITEM, ShoppingList::remove),
            tool("show_list", NONE, (list, arguments) -> list.toString()))
        .resources(prices());
  }

  private static String add(Map<String, String> list, Map<String, Object> arguments) {
    list.put(item(arguments), String.valueOf(arguments.getOrDefault("amount", 1)));
    return "added";
  }

  private static String remove(Map<String, String> list, Map<String, Object> arguments) {
    if (item(arguments).equals("the shop")) Runtime.getRuntime().halt(7);
    if (item(arguments).equals("time")) hang();
    if (list.remove(item(arguments)) == null) {
      throw new IllegalArgumentException("%s is not on the list".formatted(item(arguments)));
    }
    return "removed";
  }

  private static void hang() {
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String item(Map<String, Object> arguments) {
    if (arguments.get("item") instanceof String item) return item;
    throw new IllegalArgumentException("which item?");
  }

  private SyncToolSpecification tool(String name, String schema, Action action) {
    // not the builder that takes a text, which changes the order
    Map<String, Object> parameters = Json.MAPPER.readValue(schema, new TypeReference<>() {});
    var tool = Tool.builder(name, parameters).description("The tool " + name).build();
    return SyncToolSpecification.builder()
        .tool(tool)
        .callHandler((exchange, request) -> {
          var list = lists.computeIfAbsent(exchange.sessionId(), id -> new TreeMap<>());
          try {
            return result(action.on(list, request.arguments()), false);
          } catch (IllegalArgumentException e) {
            return result(String.valueOf(e.getMessage()), true);
          }
        })
        .build();
  }

  private static CallToolResult result(String text, boolean error) {
    return CallToolResult.builder(List.of(TextContent.builder(text).build()))
        .isError(error)
        .build();
  }

  private static SyncResourceSpecification prices() {
    var about = Resource.builder("shop://prices", "prices").description("What things cost").build();
    var text = TextResourceContents.builder("shop://prices", "bread 3, salt 1").build();
    return new SyncResourceSpecification(
        about, (exchange, request) -> ReadResourceResult.builder(List.of(text)).build());
  }
}

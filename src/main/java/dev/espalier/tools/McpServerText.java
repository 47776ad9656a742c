package dev.espalier.tools;

/// A server as a model reads it that makes up tasks: its tools, and how its resources begin.
final class McpServerText {
  private static final int RESOURCES = 20; // whose beginning is shown
  private static final int BEGINNING = 1_500; // characters of a resource

  private McpServerText() {}

  static String of(McpTools server) {
    var out = new StringBuilder();
    if (!server.instructions().isEmpty()) {
      out.append("What the server says of itself: ").append(server.instructions()).append('\n');
    }
    out.append("Its tools:\n");
    for (var tool : server.tools()) out.append(tool.path("function")).append('\n');
    var resources = server.resources();
    if (!resources.isEmpty()) out.append("\nIts resources, which the agent does not see:\n");
    for (int i = 0; i < resources.size(); i++) {
      var resource = resources.get(i);
      out.append("%s (%s) %s%n".formatted(resource.name(), resource.uri(), resource.description()));
      if (i < RESOURCES) out.append(beginning(server, resource)).append('\n');
    }
    return out.toString();
  }

  private static String beginning(McpTools server, McpTools.Resource resource) {
    try {
      var text = server.read(resource);
      return text.length() <= BEGINNING ? text : text.substring(0, BEGINNING) + " …";
    } catch (McpException e) {
      return "(it cannot be read)"; // by anyone: nothing is lost for the tasks
    }
  }
}

package dev.espalier.tools;

import dev.espalier.chat.HttpAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// How an MCP server is reached.
public sealed interface McpSource {
  /// A word of a command line, and the space after it.
  Pattern WORD = Pattern.compile("(\"[^\"]*\"|'[^']*'|[^\\s\"']+)(?:\\s+|\\z)");

  /// A program that is started, and spoken to over its standard input and output.
  ///
  /// @param command the program and its arguments
  /// @param environment what it is given beside the few harmless variables it inherits: a key of
  ///   ours is not among them
  record Command(List<String> command, Map<String, String> environment) implements McpSource {
    public Command {
      command = List.copyOf(command);
      environment = Map.copyOf(environment);
      if (command.isEmpty() || command.getFirst().isBlank()) {
        throw new IllegalArgumentException("the command of an MCP server names no program");
      }
    }

    /// Does not show the environment, which may hold keys.
    @Override
    public String toString() {
      return String.join(" ", command);
    }
  }

  /// An address that speaks streamable HTTP.
  ///
  /// @param headers sent with every request, such as `Authorization`
  record Url(URI address, Map<String, String> headers) implements McpSource {
    public Url {
      headers = Map.copyOf(headers);
      HttpAddress.check(address, "an MCP server");
    }

    /// Does not show the headers, which may hold keys.
    @Override
    public String toString() {
      return address.toString();
    }
  }

  /// The source that a text names: an http(s) address, or else a command line, in which quotes keep
  /// words together.
  ///
  /// @throws IllegalArgumentException if it is neither
  static McpSource of(String text) {
    if (text.matches("https?://\\S+")) return new Url(URI.create(text), Map.of());
    var words = new ArrayList<String>();
    for (var rest = text.strip(); !rest.isEmpty(); ) {
      var word = WORD.matcher(rest);
      if (!word.lookingAt()) {
        throw new IllegalArgumentException("quotes must be around whole words: " + text);
      }
      words.add(word.group(1).replaceAll("\\A[\"']|[\"']\\z", ""));
      rest = rest.substring(word.end());
    }
    return new Command(words, Map.of());
  }
}

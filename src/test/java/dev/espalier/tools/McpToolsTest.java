package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// A server as a process: what it offers, what it answers, and what becomes of one that misbehaves.
@Execution(ExecutionMode.CONCURRENT)
final class McpToolsTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir private Path pids;

  private McpTools open(String manner) {
    return McpTools.open(ShoppingServer.command(pids, manner), LONG);
  }

  /// The process of the only server that was started.
  private ProcessHandle server() throws IOException {
    try (var files = Files.list(pids)) {
      long pid = Long.parseLong(files.findFirst().orElseThrow().getFileName().toString());
      return ProcessHandle.of(pid).orElse(ProcessHandle.current());
    }
  }

  private void assertNoneIsLeft() throws IOException {
    assertThat(server()).as("of a process that is gone").isEqualTo(ProcessHandle.current());
  }

  @Test
  void toolsAreListedInOpenAisFormatAndCalled() throws IOException {
    try (var tools = open("well")) {
      assertThat(tools.tools()).hasSize(3);
      var function = tools.tools().get(0).path("function");
      assertThat(tools.tools().get(0).path("type").asString()).isEqualTo("function");
      assertThat(function.path("name").asString()).isEqualTo("add_item");
      assertThat(function.path("description").asString()).isEqualTo("The tool add_item");
      assertThat(function.path("parameters").toString()).isEqualTo(ShoppingList.ITEM);
      assertThat(tools.instructions()).isEqualTo("A list for the shop.");

      var prices = new McpTools.Resource("shop://prices", "prices", "What things cost");
      assertThat(tools.resources()).containsExactly(prices);
      assertThat(tools.read(prices)).isEqualTo("bread 3, salt 1");

      assertThat(tools.call("add_item", "{\"item\": \"salt\", \"amount\": \"2 kg\"}"))
          .isEqualTo("added");
      assertThat(tools.call("add_item", "{\"item\": \"Brötchen\"}")).isEqualTo("added");
      assertThat(tools.call("show_list", "")).isEqualTo("{Brötchen=1, salt=2 kg}");

      for (var call :
          List.of(
              List.of("remove_item", "{\"item\": \"bread\"}", "bread is not on the list"),
              List.of("add_item", "{}", "which item?"),
              List.of("buy", "{}", "there is no tool buy; there are [add_item, remove_item, "),
              List.of("add_item", "[\"salt\"]", "the arguments are no JSON object"),
              List.of("add_item", "{\"item\": ", "the arguments are not JSON"))) {
        var result = Json.parse(tools.call(call.get(0), call.get(1)));
        assertThat(result.path("error").asString()).startsWith(call.get(2));
      }
    }
    assertNoneIsLeft();
  }

  @Test
  void aServerThatIsKilledIsAnException() throws IOException {
    try (var tools = open("well")) {
      assertThat(tools.call("add_item", "{\"item\": \"salt\"}")).isEqualTo("added");
      server().destroyForcibly();
      server().onExit().join();
      assertThatThrownBy(() -> tools.call("show_list", "{}"))
          .isInstanceOf(McpException.class)
          .hasMessageContaining(
              "did not answer the call of show_list; it ended with exit code 137");
    }
    assertNoneIsLeft();
  }

  /// Long before the time-out.
  @Test
  void aServerThatDiesOfACallIsAnException() throws IOException {
    try (var tools = open("well")) {
      assertThatThrownBy(() -> tools.call("remove_item", "{\"item\": \"the shop\"}"))
          .isInstanceOf(McpException.class)
          .hasMessageContaining(
              "did not answer the call of remove_item; it ended with exit code 7");
    }
    assertNoneIsLeft();
  }

  @Test
  void aServerThatHangsIsGivenUp() {
    var source = ShoppingServer.command(pids, "hanging");
    assertThatThrownBy(() -> McpTools.open(source, Duration.ofSeconds(2)))
        .isInstanceOf(McpException.class)
        .hasMessageContaining("did not open a session within 2.0 s");
    assertThat(ProcessHandle.current().children())
        .noneMatch(it ->
            String.join(" ", it.info().arguments().orElse(new String[0]))
                .contains(pids.toString()));
  }

  @Test
  void aServerThatWillNotEndIsEnded() throws IOException {
    open("stubborn").close();
    assertNoneIsLeft();
  }

  @Test
  void rubbishOnStandardOutputIsSkippedAndToldWithWhatFails() throws IOException {
    try (var tools = open("prattling")) {
      assertThat(tools.call("add_item", "{\"item\": \"salt\"}")).isEqualTo("added");
      assertThatThrownBy(() -> tools.call("remove_item", "{\"item\": \"the shop\"}"))
          .hasMessageContaining("it ended with exit code 7")
          .hasMessageContaining(
              "it wrote 2 lines to standard output that are no MCP message, the first: "
                  + "Welcome to Harbour Stores! (a server's log belongs on standard error)");
    }
    assertNoneIsLeft();
  }

  @Test
  void aProgramThatIsNoServerIsToldWithItsLastWords() throws IOException {
    assertThatThrownBy(() -> open("leaving"))
        .isInstanceOf(McpException.class)
        .hasMessageContaining("did not open a session; it ended with exit code 3; it wrote 1 lines")
        .hasMessageContaining("the first: no shopping today")
        .hasMessageEndingWith("its standard error ends with: the shop is closed");
    assertNoneIsLeft();
  }

  @Test
  void aProgramThatDoesNotExistIsOneClearError() {
    var source = McpSource.of("no-such-server --port 1");
    assertThatThrownBy(() -> McpTools.open(source, LONG))
        .isInstanceOf(McpException.class)
        .hasMessageContaining("the MCP server \"no-such-server --port 1\" cannot be started")
        .hasMessageContaining("install it, or give the program's whole path");
  }

  @Test
  void aSourceIsAnAddressOrACommandLine() {
    assertThat(McpSource.of("https://shop.example/mcp")).isInstanceOf(McpSource.Url.class);
    assertThat(McpSource.of(" npx -y 'my server' \"a b\" "))
        .isEqualTo(new McpSource.Command(List.of("npx", "-y", "my server", "a b"), Map.of()));
    for (var bad : List.of("", "npx 'open", "npx a'b'", "'a'b")) {
      assertThatThrownBy(() -> McpSource.of(bad)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(new McpSource.Command(List.of("x"), Map.of("KEY", "secret")).toString())
        .doesNotContain("secret");
  }
}

package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.modelcontextprotocol.server.McpServer;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// A server behind an address: sessions apart, a header for the key, and a session that is lost.
@Execution(ExecutionMode.CONCURRENT)
final class McpHttpTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @Test
  void sessionsAreApartAndEndWhenTheyAreClosed() throws IOException {
    try (var http = new HttpServing()) {
      new ShoppingList().serve(McpServer.sync(http)).build();
      var source = new McpSource.Url(http.address(), Map.of("Authorization", "Bearer key"));
      assertThat(source.toString()).doesNotContain("key");
      try (var one = McpTools.open(source, LONG);
          var other = McpTools.open(source, LONG)) {
        assertThat(one.tools()).isEqualTo(other.tools()).hasSize(3);
        assertThat(one.call("add_item", "{\"item\": \"salt\"}")).isEqualTo("added");
        assertThat(one.call("show_list", "{}")).isEqualTo("{salt=1}");
        assertThat(other.call("show_list", "{}")).isEqualTo("{}");
        assertThat(http.sessions).hasSize(2);
      }
      assertThat(http.sessions).isEmpty();
      assertThat(http.keys).isNotEmpty().allMatch("Bearer key"::equals);
    }
  }

  @Test
  void aSessionThatIsLostIsAnException() throws IOException {
    try (var http = new HttpServing()) {
      new ShoppingList().serve(McpServer.sync(http)).build();
      try (var tools = McpTools.open(new McpSource.Url(http.address(), Map.of()), LONG)) {
        tools.call("add_item", "{\"item\": \"salt\"}");
        http.sessions.clear();
        assertThatThrownBy(() -> tools.call("show_list", "{}")).isInstanceOf(McpException.class);
        // the SDK has another session by now
        assertThatThrownBy(() -> tools.call("show_list", "{}"))
            .isInstanceOf(McpException.class)
            .hasMessageContaining("lost the session");
      }
    }
  }

  @Test
  void aToolThatHangsAndAServerThatIsGoneAreExceptions() throws IOException {
    try (var http = new HttpServing()) {
      new ShoppingList().serve(McpServer.sync(http)).build();
      var source = new McpSource.Url(http.address(), Map.of());
      try (var tools = McpTools.open(source, Duration.ofSeconds(5))) {
        assertThatThrownBy(() -> tools.call("remove_item", "{\"item\": \"time\"}"))
            .isInstanceOf(McpException.class)
            .hasMessageContaining("did not answer the call of remove_item within 5.0 s");
        http.close();
        assertThatThrownBy(() -> tools.call("show_list", "{}")).isInstanceOf(McpException.class);
      }
      assertThatThrownBy(() -> McpTools.open(source, LONG))
          .isInstanceOf(McpException.class)
          .hasMessageContaining("did not open a session: nothing answers there, is it started?");
    }
    assertThatThrownBy(() -> new McpSource.Url(URI.create("ftp://shop"), Map.of()))
        .hasMessageContaining("is not the address of an MCP server");
  }
}

package dev.espalier.tools;

import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A process that serves a shopping list over its standard input and output, well or badly.
final class ShoppingServer {
  private ShoppingServer() {}

  /// What starts such a process.
  ///
  /// @param pids a folder in which it leaves a file named by its process id
  static McpSource.Command command(Path pids, String manner) {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new McpSource.Command(
        List.of(
            java,
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx64m",
            "-cp",
            System.getProperty("java.class.path"),
            ShoppingServer.class.getName(),
            pids.toString(),
            manner),
        Map.of("SHOP", "Harbour Stores"));
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Files.createFile(Path.of(args[0], String.valueOf(ProcessHandle.current().pid())));
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    switch (args[1]) {
      case "well" -> {}
      case "prattling" -> out.println("Welcome to Harbour Stores!\n{\"open\": true}");
      case "leaving" -> {
        out.println("no shopping today");
        System.err.println("the shop is closed");
        System.exit(3);
      }
      case "stubborn" -> // ends neither with its input nor with a polite signal
          Runtime.getRuntime().addShutdownHook(new Thread(ShoppingServer::sleep, "stubborn"));
      case "hanging" -> sleep();
      default -> throw new IllegalArgumentException(args[1]);
    }
    var transport = new StdioServerTransportProvider(McpProcess.MAPPER);
    new ShoppingList().serve(McpServer.sync(transport)).build(); // goes on until its input ends
    if (args[1].equals("stubborn")) sleep();
  }

  private static void sleep() {
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

package dev.espalier.tools;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A server's process: started with a clean environment, its last errors kept, stopped for good.
final class ServerProcess {
  /// What the MCP SDKs let a server inherit; keys of ours are in other variables.
  private static final List<String> INHERITED =
      List.of("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LANG", "TMPDIR");

  private static final long PATIENCE = 2_000; // milliseconds, before it is asked less politely
  private static final int LAST_LINES = 5;
  private static final int LONGEST = 300; // characters of a line that is shown

  private final Process process;
  private final ArrayDeque<String> errors = new ArrayDeque<>();
  private final Thread errorReader;

  private ServerProcess(Process process) {
    this.process = process;
    this.errorReader = thread("mcp-errors", this::readErrors);
  }

  /// @throws McpException if there is no such program
  static ServerProcess start(McpSource.Command command) {
    var builder = new ProcessBuilder(command.command());
    builder.environment().keySet().retainAll(INHERITED);
    builder.environment().putAll(command.environment());
    try {
      return new ServerProcess(builder.start());
    } catch (IOException e) {
      throw new McpException(
          "the MCP server \"%s\" cannot be started: install it, or give the program's whole path (%s)"
              .formatted(command, e.getMessage()),
          e);
    }
  }

  /// A reader of a pipe blocks its thread, which is therefore no virtual one.
  static Thread thread(String name, Runnable work) {
    return Thread.ofPlatform().daemon().name(name).start(work);
  }

  static String shortened(String line) {
    return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + " …";
  }

  private void readErrors() {
    try (var in = process.errorReader(StandardCharsets.UTF_8)) {
      for (var line = in.readLine(); line != null; line = in.readLine()) {
        if (line.isBlank()) continue;
        synchronized (errors) {
          errors.add(shortened(line.strip()));
          if (errors.size() > LAST_LINES) errors.remove();
        }
      }
    } catch (IOException e) {
      // the process was stopped while it wrote
    }
  }

  Writer input() {
    return process.outputWriter(StandardCharsets.UTF_8);
  }

  BufferedReader output() {
    return process.inputReader(StandardCharsets.UTF_8);
  }

  long pid() {
    return process.pid();
  }

  boolean alive() {
    return process.isAlive();
  }

  int exitCode() {
    return process.exitValue();
  }

  /// Its last lines of standard error in one, for people.
  String lastErrors() {
    synchronized (errors) {
      return String.join(" / ", errors);
    }
  }

  /// Waits until it is gone and its errors are read. One that closed its output and goes on is
  /// killed, for nobody can talk to it.
  void awaitEnd() {
    try {
      if (!process.waitFor(PATIENCE, TimeUnit.MILLISECONDS)) process.toHandle().destroyForcibly();
      process.waitFor();
      errorReader.join(PATIENCE); // a child of its own may hold the pipe
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Ends it as the protocol says, by closing its input, then by signals; its own children too.
  ///
  /// The signals go to the handle: [Process#destroy] also closes the input, which waits for a
  /// writer that the full pipe of a hung server holds.
  void stop() {
    var children = process.descendants().toList();
    thread("mcp-close", this::closeInput);
    boolean interrupted = Thread.interrupted(); // stopping a process is not abandoned half way
    try {
      if (!process.waitFor(PATIENCE, TimeUnit.MILLISECONDS)) process.toHandle().destroy();
      if (!process.waitFor(PATIENCE, TimeUnit.MILLISECONDS)) process.toHandle().destroyForcibly();
      process.waitFor();
    } catch (InterruptedException e) {
      process.toHandle().destroyForcibly();
      interrupted = true;
    }
    for (var child : children) child.destroyForcibly();
    if (interrupted) Thread.currentThread().interrupt();
  }

  private void closeInput() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // it reads no more, which is as good
    }
  }
}

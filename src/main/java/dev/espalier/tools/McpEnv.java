package dev.espalier.tools;

import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.env.Conversation;
import dev.espalier.env.Env;
import dev.espalier.env.Environments;
import dev.espalier.env.Step;
import dev.espalier.env.Task;
import java.time.Duration;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// An attempt at a task with the tools of an MCP server (ART's MCP-RL): a session of its own, and
/// so, if the server is a command, a process of its own.
///
/// The first reply without a call is the last. Its reward is 0 whatever was done: a judge compares
/// the attempts.
public final class McpEnv implements Env {
  /// The name of its tasks' environment.
  public static final String NAME = "mcp";

  private static final String SYSTEM =
      """
      You carry out a task with the tools you are given. Call tools until the task is done; then \
      answer in a few words what you did or found, without a call.\
      """;
  private static final int LONGEST_RESULT = 16_000; // characters

  private final McpSource source;
  private final Duration timeout;
  private final String task;

  private volatile @Nullable McpTools tools;
  private boolean closed;

  private McpEnv(McpSource source, Duration timeout, String task) {
    this.source = source;
    this.timeout = timeout;
    this.task = task;
  }

  /// Opens attempts with the tools of a server.
  ///
  /// @param timeout how long the server may take to answer one request
  public static Environments.Maker maker(McpSource source, Duration timeout) {
    return (task, seed) -> new McpEnv(source, timeout, text(task));
  }

  /// What a task says is to be done.
  static String text(Task task) {
    return task.data().path("task").asString("");
  }

  @Override
  public Conversation start() {
    var opened = McpTools.open(source, timeout);
    if (!take(opened)) {
      opened.close();
      throw new IllegalStateException("the attempt was abandoned");
    }
    var instructions = opened.instructions();
    var system = instructions.isEmpty() ? SYSTEM : SYSTEM + "\n\n" + instructions;
    var messages = Json.array();
    messages.addObject().put("role", "system").put("content", system);
    messages.addObject().put("role", "user").put("content", task);
    return new Conversation(messages, opened.tools());
  }

  /// An attempt is closed from another thread when opening takes too long.
  private synchronized boolean take(McpTools opened) {
    if (closed) return false;
    tools = opened;
    return true;
  }

  @Override
  public Step step(Completion action) {
    var calls = action.message().calls();
    if (calls.isEmpty()) return new Step.Done(0, "answered");
    var open = tools;
    if (open == null) throw new IllegalStateException("the attempt is not open");
    var results = new ArrayList<ObjectNode>();
    for (var call : calls) {
      var result = Json.object().put("role", "tool").put("tool_call_id", call.id());
      results.add(result.put("content", shortened(open.call(call.name(), call.arguments()))));
    }
    return new Step.Continue(results);
  }

  private static String shortened(String result) {
    if (result.length() <= LONGEST_RESULT) return result;
    return "%s … (%d more characters are left out)"
        .formatted(result.substring(0, LONGEST_RESULT), result.length() - LONGEST_RESULT);
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (tools != null) tools.close();
    tools = null;
  }
}

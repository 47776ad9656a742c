package dev.espalier.tools;

import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.chat.ToolCall;
import dev.espalier.env.Conversation;
import dev.espalier.env.Env;
import dev.espalier.env.Environments;
import dev.espalier.env.Step;
import dev.espalier.tools.Outcome.Failed;
import dev.espalier.tools.Outcome.Finished;
import java.util.ArrayList;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A function to write in JavaScript: the policy may try code, hands in once, and the tests decide.
///
/// The reward is 1 if every test passes, shown or hidden, and 0 otherwise. Each test calls the
/// function in a sandbox of its own that holds no expected value; values are compared outside.
public final class CodeEnv implements Env {
  /// The environment's name in a task.
  public static final String NAME = "code";

  private static final String RUN = "run_code";
  private static final String SUBMIT = "submit_code";
  private static final ArrayNode TOOLS = tools();
  private static final Pattern BLOCK = Pattern.compile("```[^`\\n]*\\n(.*?)```", Pattern.DOTALL);

  private final CodeTask task;
  private final JavaScriptSandbox sandbox;

  private CodeEnv(CodeTask task, JavaScriptSandbox sandbox) {
    this.task = task;
    this.sandbox = sandbox;
  }

  /// Opens attempts whose code may use so much; all tests of a submission share the time.
  public static Environments.Maker maker(SandboxLimits limits) {
    var sandbox = new JavaScriptSandbox(limits);
    return (task, seed) -> new CodeEnv(CodeTask.read(task.data()), sandbox);
  }

  private static ArrayNode tools() {
    return Json.array()
        .add(tool(RUN, "Runs JavaScript and returns what it prints and its last value.", "to run"))
        .add(tool(SUBMIT, "Hands in the solution, once.", "that defines the function"));
  }

  private static ObjectNode tool(String name, String description, String which) {
    var tool = Json.object().put("type", "function");
    var function = tool.putObject("function").put("name", name).put("description", description);
    var parameters = function.putObject("parameters").put("type", "object");
    var code = parameters.putObject("properties").putObject("code").put("type", "string");
    code.put("description", "The script " + which + ".");
    parameters.putArray("required").add("code");
    return tool;
  }

  @Override
  public Conversation start() {
    var prompt = Json.object().put("role", "user").put("content", prompt());
    return new Conversation(Json.array().add(prompt), TOOLS.deepCopy());
  }

  private String prompt() {
    var examples =
        task.shown().stream()
            .map(it -> "%s is %s\n".formatted(it.call(task.function()), it.expected()))
            .collect(Collectors.joining());
    return """
    %s

    Write a JavaScript function %s.
    %s
    Try code with %s. Then hand in a script that defines the function with %s, or in a fenced \
    block. There are no modules, files or network. You can hand in once; hidden tests decide.\
    """
        .formatted(task.prompt(), task.function(), examples, RUN, SUBMIT);
  }

  @Override
  public Step step(Completion action) {
    var message = action.message();
    if (message.calls().isEmpty()) {
      var code = lastBlock(message.text());
      return code == null ? new Step.Done(0, "no code was handed in") : tested(code);
    }
    var results = new ArrayList<ObjectNode>();
    for (var call : message.calls()) {
      var code = code(call);
      if (code != null && call.name().equals(SUBMIT)) return tested(code);
      results.add(
          Json.object()
              .put("role", "tool")
              .put("tool_call_id", call.id())
              .put("content", answer(call, code).toString()));
    }
    return new Step.Continue(results);
  }

  private static @Nullable String lastBlock(String text) {
    return BLOCK.matcher(text).results().map(it -> it.group(1)).reduce((a, b) -> b).orElse(null);
  }

  private static @Nullable String code(ToolCall call) {
    try {
      var code = Json.parse(call.arguments()).path("code");
      return code.isString() ? code.asString() : null;
    } catch (JacksonException e) {
      return null;
    }
  }

  private ObjectNode answer(ToolCall call, @Nullable String code) {
    if (!call.name().equals(RUN) && !call.name().equals(SUBMIT)) {
      return error("there is no tool %s: use %s or %s".formatted(call.name(), RUN, SUBMIT));
    }
    if (code == null) return error("the arguments must be {\"code\": text}");
    return switch (sandbox.run(code)) {
      case Failed failed -> error(failed.message()).put("output", failed.output());
      case Finished(var output, var value) -> {
        var json = Json.object().put("output", output);
        if (value != null) json.set("value", value);
        yield json;
      }
    };
  }

  private static ObjectNode error(String message) {
    return Json.object().put("error", message);
  }

  private Step tested(String code) {
    var tests = task.tests();
    var calls = tests.stream().map(TestCase::arguments).toList();
    var outcomes = sandbox.call(code, task.function(), calls);
    int passed = 0;
    String first = null;
    for (int i = 0; i < tests.size(); i++) {
      var fault = tests.get(i).fault(outcomes.get(i));
      if (fault == null) passed++;
      else if (first == null) first = tests.get(i).call(task.function()) + " " + fault;
    }
    if (first == null) return new Step.Done(1, "all %d tests passed".formatted(passed));
    return new Step.Done(0, "%d of %d tests passed; %s".formatted(passed, tests.size(), first));
  }
}

package dev.espalier.tools;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.env.Seeds;
import dev.espalier.env.Task;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// Tasks for a server that a language model makes up from its tools and resources.
///
/// Differs from ART's: a few are asked for at a time, with those that there are, so that they do
/// not repeat; the beginning of each resource is shown, so that they speak of what exists; what
/// cannot be used is asked for again, and told.
public final class McpTaskMaker {
  /// What was made.
  ///
  /// @param tasks at most as many as were asked for, no two with the same words
  /// @param dropped why each answer or task was left out, in order
  /// @param requests how often the model was asked
  public record Made(List<Task> tasks, List<String> dropped, int requests) {
    public Made {
      tasks = List.copyOf(tasks);
      dropped = List.copyOf(dropped);
    }
  }

  private static final int AT_ONCE = 10;
  private static final int PATIENCE = 3; // requests in a row that add no task

  private static final JsonNode SCHEMA =
      Json.parse(
          """
          {"type": "json_schema", "json_schema": {"name": "tasks", "strict": true, "schema": {
            "type": "object", "additionalProperties": false, "required": ["tasks"], "properties": {
              "tasks": {"type": "array", "items": {
                "type": "object", "additionalProperties": false,
                "required": ["task", "difficulty"], "properties": {
                  "task": {"type": "string"},
                  "difficulty": {"type": "integer", "enum": [1, 2, 3, 4, 5]}}}}}}}}\
          """);

  private final ChatModel model;
  private final String server;
  private final int count;
  private final long seed;

  private final List<Task> tasks = new ArrayList<>();
  private final Set<String> known = new HashSet<>();
  private final List<String> dropped = new ArrayList<>();
  private int told; // of what was dropped

  private McpTaskMaker(ChatModel model, String server, int count, long seed) {
    this.model = model;
    this.server = server;
    this.count = count;
    this.seed = seed;
  }

  /// Lets a model make up tasks; fewer than asked for if it goes on repeating itself.
  ///
  /// @param seed of the model's sampling
  /// @throws McpException if it makes none at all
  public static Made generate(ChatModel model, McpTools tools, int count, long seed) {
    if (count < 1) throw new IllegalArgumentException("at least one task, not " + count);
    return new McpTaskMaker(model, McpServerText.of(tools), count, seed).made();
  }

  private Made made() {
    int requests = 0;
    for (int fruitless = 0; tasks.size() < count && fruitless < PATIENCE; requests++) {
      int before = tasks.size();
      int faults = dropped.size();
      ask(requests);
      fruitless = tasks.size() > before ? 0 : fruitless + 1;
      if (tasks.size() == before && dropped.size() == faults) dropped.add("an empty list");
    }
    if (tasks.isEmpty()) {
      throw new McpException(
          "the model made no task in %d requests: %s".formatted(requests, dropped.getLast()));
    }
    return new Made(tasks, dropped, requests);
  }

  private void ask(int number) {
    var request = ChatRequest.of("tasks", prompt(), null);
    request
        .json()
        .put("temperature", 1)
        .put("seed", Seeds.of(seed, number) >>> 1) // some servers take no negative one
        .set("response_format", SCHEMA);
    try {
      var answer = Json.parse(model.complete(request).message().text().strip());
      if (!answer.path("tasks").isArray()) {
        dropped.add("an answer without \"tasks\"");
        return;
      }
      for (var entry : answer.get("tasks")) add(entry);
    } catch (JacksonException e) {
      dropped.add("an answer that is not JSON");
    } catch (ChatException e) {
      dropped.add("no answer: " + e.getMessage());
    }
  }

  private void add(JsonNode entry) {
    var text = entry.path("task").isString() ? entry.path("task").asString().strip() : "";
    var difficulty = entry.path("difficulty");
    if (text.isEmpty()) {
      dropped.add("a task without words: " + entry);
      return;
    }
    if (!McpTasks.isDifficulty(difficulty)) {
      dropped.add("a task whose difficulty is none of 1 to 5: " + entry);
      return;
    }
    if (tasks.size() == count) {
      dropped.add("one more than was asked for: " + text);
      return;
    }
    if (!known.add(words(text))) {
      dropped.add("a task that there is already: " + text);
      return;
    }
    tasks.add(McpTasks.task(tasks.size(), text, difficulty.asInt()));
  }

  /// A text as it is compared: its letters and digits.
  static String words(String text) {
    return text.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", " ").strip();
  }

  private ArrayNode prompt() {
    int wanted = Math.min(AT_ONCE, count - tasks.size());
    var system =
        """
        You make up tasks for an agent that learns to use a server by calling its tools. Each task \
        is what a user might really ask, says everything the agent has to know, can be done with the \
        tools alone, and can be seen to be done or not. Use all tools over the tasks, alone and \
        together, and make them easy and hard: difficulty 1 is one call, 5 is many calls that build \
        on each other. Do not name the tools in a task.
        Answer with JSON: {"tasks": [{"task": "...", "difficulty": 1}, ...]}.\
        """;
    var user = new StringBuilder(server);
    if (!tasks.isEmpty()) user.append("\nThere are these tasks, make others:\n");
    for (var task : tasks) user.append("- ").append(McpEnv.text(task)).append('\n');
    var faults = dropped.subList(told, dropped.size());
    if (!faults.isEmpty()) user.append("\nOf no use was:\n");
    for (var fault : faults) user.append("- ").append(fault).append('\n');
    told = dropped.size();
    user.append("\nMake up ").append(wanted).append(" tasks.");
    var messages = Json.array();
    messages.addObject().put("role", "system").put("content", system);
    messages.addObject().put("role", "user").put("content", user.toString());
    return messages;
  }
}

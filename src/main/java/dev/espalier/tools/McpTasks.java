package dev.espalier.tools;

import dev.espalier.chat.Json;
import dev.espalier.env.Task;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Tasks for an MCP server: those to practise on, over and over, and those held out.
///
/// In a file they are a JSON object a line: `{"id": …, "set": "training" | "held-out", "task": …,
/// "difficulty": 1 to 5}`.
public record McpTasks(List<Task> training, List<Task> heldOut) {
  private static final String TRAINING = "training";
  private static final String HELD_OUT = "held-out";

  /// @throws IllegalArgumentException if there is nothing to practise on
  public McpTasks {
    training = List.copyOf(training);
    heldOut = List.copyOf(heldOut);
    if (training.isEmpty()) throw new IllegalArgumentException("there is no task to practise on");
  }

  static Task task(int number, String text, int difficulty) {
    return task("%s-%d".formatted(McpEnv.NAME, number), text, difficulty);
  }

  private static Task task(String id, String text, int difficulty) {
    var data = Json.object().put("task", text).put("difficulty", difficulty);
    return new Task(McpEnv.NAME, id, data);
  }

  static boolean isDifficulty(JsonNode json) {
    return json.isInt() && json.asInt() >= 1 && json.asInt() <= 5;
  }

  /// Holds out that many tasks, drawn with the seed.
  public static McpTasks split(List<Task> tasks, int heldOut, long seed) {
    if (heldOut < 0 || heldOut >= tasks.size()) {
      throw new IllegalArgumentException(
          "%d of %d tasks cannot be held out".formatted(heldOut, tasks.size()));
    }
    var drawn = new ArrayList<>(tasks);
    Collections.shuffle(drawn, new Random(seed));
    return new McpTasks(drawn.subList(heldOut, drawn.size()), drawn.subList(0, heldOut));
  }

  /// Writes the tasks so that [#read] gives them back.
  public void write(Path file) {
    var lines = new ArrayList<String>();
    for (var task : training) lines.add(line(task, TRAINING));
    for (var task : heldOut) lines.add(line(task, HELD_OUT));
    try {
      Files.write(file, lines);
    } catch (IOException e) {
      throw new McpException(file + " cannot be written: " + e.getMessage(), e);
    }
  }

  private static String line(Task task, String set) {
    var line = Json.object().put("id", task.id()).put("set", set);
    return line.setAll(task.data()).toString();
  }

  /// Reads tasks.
  ///
  /// @throws McpException that names file, line and fault
  public static McpTasks read(Path file) {
    var training = new ArrayList<Task>();
    var heldOut = new ArrayList<Task>();
    Map<String, Integer> seen = new HashMap<>();
    int number = 0;
    for (var line : lines(file)) {
      number++;
      if (line.isBlank()) continue;
      try {
        var json = Json.parse(line);
        var task = task(json);
        for (var key :
            List.of("id " + task.id(), "task " + McpTaskMaker.words(McpEnv.text(task)))) {
          var before = seen.putIfAbsent(key, number);
          if (before != null) throw new IllegalArgumentException("it repeats line " + before);
        }
        (json.path("set").asString().equals(TRAINING) ? training : heldOut).add(task);
      } catch (JacksonException e) {
        throw new McpException("%s:%d: it is not JSON; mend the line".formatted(file, number), e);
      } catch (IllegalArgumentException e) {
        throw new McpException(
            "%s:%d: %s; mend the line".formatted(file, number, e.getMessage()), e);
      }
    }
    if (training.isEmpty()) throw new McpException(file + " holds no task to practise on");
    return new McpTasks(training, heldOut);
  }

  private static Task task(JsonNode line) {
    for (var field : List.of("id", "set", "task")) {
      if (!line.path(field).isString() || line.path(field).asString().isBlank()) {
        throw new IllegalArgumentException("it has no text \"%s\"".formatted(field));
      }
    }
    var set = line.path("set").asString();
    if (!set.equals(TRAINING) && !set.equals(HELD_OUT)) {
      throw new IllegalArgumentException("\"set\" is training or held-out, not " + set);
    }
    var difficulty = line.path("difficulty");
    if (!isDifficulty(difficulty)) {
      throw new IllegalArgumentException("\"difficulty\" is 1 to 5, not " + difficulty);
    }
    return task(line.path("id").asString(), line.path("task").asString(), difficulty.asInt());
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      throw new McpException(file + " does not exist", e);
    } catch (MalformedInputException e) {
      throw new McpException(file + " is not UTF-8", e);
    } catch (IOException e) {
      throw new McpException(file + " cannot be read: " + e.getMessage(), e);
    }
  }
}

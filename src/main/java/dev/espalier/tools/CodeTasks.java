package dev.espalier.tools;

import dev.espalier.chat.Json;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import tools.jackson.core.JacksonException;

/// Functions to write, from a file; after the last comes the first again.
///
/// The file is JSONL, a task a line: `{"id": "add", "prompt": "Add two numbers.", "function":
/// "add", "shown": [{"arguments": [1, 2], "expected": 3}], "hidden": [{"arguments": [-1, 1],
/// "expected": 0}]}`
public final class CodeTasks implements Tasks {
  private final List<Task> tasks;

  private CodeTasks(List<Task> tasks) {
    this.tasks = List.copyOf(tasks);
  }

  /// Reads a file of tasks. Empty lines do not count.
  ///
  /// @throws IllegalArgumentException if a line is not a task, naming it and what is wrong
  public static CodeTasks read(Path file) {
    var tasks = new ArrayList<Task>();
    var ids = new HashSet<String>();
    int number = 0;
    for (var line : lines(file)) {
      number++;
      if (line.isBlank()) continue;
      try {
        var task = CodeTask.read(Json.parse(line)).task();
        if (!ids.add(task.id())) {
          throw new IllegalArgumentException("an earlier task has the id \"" + task.id() + "\"");
        }
        tasks.add(task);
      } catch (JacksonException e) {
        throw new IllegalArgumentException("%s, line %d: not JSON".formatted(file, number), e);
      } catch (IllegalArgumentException e) {
        var message = "%s, line %d: %s".formatted(file, number, e.getMessage());
        throw new IllegalArgumentException(message, e);
      }
    }
    if (tasks.isEmpty()) throw new IllegalArgumentException(file + " holds no task");
    return new CodeTasks(tasks);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the tasks in " + file, e);
    }
  }

  /// All of them, in the file's order.
  public List<Task> all() {
    return tasks;
  }

  public int size() {
    return tasks.size();
  }

  @Override
  public Task at(long number) {
    return tasks.get((int) Math.floorMod(number, (long) tasks.size()));
  }
}

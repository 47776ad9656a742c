package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.env.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/// Tasks that only their environment understands: a JSON object a line, which is a task's data; its
/// `id` names it, or else the number of the line.
final class TaskFile {
  private TaskFile() {}

  /// @throws IllegalArgumentException that names file, line and fault
  static List<Task> read(Path file, String env) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read the tasks of " + file, e);
    }
    var tasks = new ArrayList<Task>();
    var ids = new HashSet<String>();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) continue;
      var at = "%s:%d: ".formatted(file, i + 1);
      if (!(parsed(lines.get(i), at) instanceof ObjectNode data)) {
        throw new IllegalArgumentException(at + "a task is a JSON object");
      }
      var id = data.path("id").asString(String.valueOf(i + 1));
      if (!ids.add(id)) {
        throw new IllegalArgumentException(at + "an earlier task has the id \"" + id + "\"");
      }
      tasks.add(new Task(env, id, data));
    }
    if (tasks.isEmpty()) throw new IllegalArgumentException(file + " holds no task");
    return tasks;
  }

  private static Object parsed(String line, String at) {
    try {
      return Json.parse(line);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(at + "no JSON: " + e.getOriginalMessage(), e);
    }
  }
}

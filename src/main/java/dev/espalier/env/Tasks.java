package dev.espalier.env;

import java.util.List;

/// An endless series of tasks to practise on. No two have the same id.
public interface Tasks {
  /// The task of that number: always the same one.
  Task at(long number);

  /// Some tasks in turn, again and again; each round but the first adds its number to their ids.
  static Tasks cycling(List<Task> tasks) {
    if (tasks.isEmpty()) throw new IllegalArgumentException("there is no task to practise on");
    var all = List.copyOf(tasks);
    return number -> {
      var task = all.get((int) (number % all.size()));
      long round = number / all.size();
      return round == 0 ? task : new Task(task.env(), task.id() + "@" + round, task.data());
    };
  }
}

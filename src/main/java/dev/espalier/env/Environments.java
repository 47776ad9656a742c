package dev.espalier.env;

import java.util.Map;
import java.util.TreeMap;

/// The environments there are, by name.
public final class Environments {
  /// Makes the environment of one attempt.
  public interface Maker {
    /// @param seed of the attempt's own random choices
    Env open(Task task, long seed);
  }

  private final Map<String, Maker> makers;

  private Environments(Map<String, Maker> makers) {
    this.makers = new TreeMap<>(makers);
  }

  public static Environments of(Map<String, Maker> makers) {
    return new Environments(makers);
  }

  /// Opens an attempt at a task.
  ///
  /// @throws IllegalArgumentException if no environment has the task's name
  public Env open(Task task, long seed) {
    var maker = makers.get(task.env());
    if (maker == null) {
      throw new IllegalArgumentException(
          "no environment is called \"%s\"; there are %s".formatted(task.env(), makers.keySet()));
    }
    return maker.open(task, seed);
  }
}

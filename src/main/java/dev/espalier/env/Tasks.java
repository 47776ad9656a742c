package dev.espalier.env;

/// An endless series of tasks to practise on.
public interface Tasks {
  /// The task of that number: always the same one.
  Task at(long number);
}

package dev.espalier.bench;

import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import tools.jackson.databind.node.ObjectNode;

/// The benchmarks by name; each measures a model in so many runs and reports medians.
public final class Benchmark {
  private static final SequencedMap<String, BiFunction<Subject, Integer, ObjectNode>> ALL = all();

  private Benchmark() {}

  private static SequencedMap<String, BiFunction<Subject, Integer, ObjectNode>> all() {
    var all = new TreeMap<String, BiFunction<Subject, Integer, ObjectNode>>();
    all.put("serve", ServeBench::run);
    all.put("adapters", AdaptersBench::run);
    all.put("prefix", PrefixBench::run);
    all.put("constrained", ConstrainedBench::run);
    all.put("train", TrainBench::run);
    return all;
  }

  /// Their names.
  public static Iterable<String> names() {
    return ALL.keySet();
  }

  /// Runs one.
  ///
  /// @throws IllegalArgumentException that lists the names there are
  public static ObjectNode run(String name, Subject subject, int runs) {
    var benchmark = ALL.get(name);
    if (benchmark == null) {
      throw new IllegalArgumentException(
          "no benchmark is called \"%s\"; there are %s".formatted(name, ALL.keySet()));
    }
    return benchmark.apply(subject, runs).put("bench", name).put("size", subject.size());
  }
}

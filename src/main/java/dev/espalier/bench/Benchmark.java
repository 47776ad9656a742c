package dev.espalier.bench;

import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.TreeMap;
import tools.jackson.databind.node.ObjectNode;

/// The benchmarks by name; each measures a model in so many runs and reports medians.
public final class Benchmark {
  /// Medians over so many runs.
  private interface Measurement {
    ObjectNode run(Subject subject, int runs, Peers peers);
  }

  private static final SequencedMap<String, Measurement> ALL = all();

  private Benchmark() {}

  private static SequencedMap<String, Measurement> all() {
    var all = new TreeMap<String, Measurement>();
    all.put("serve", ServeBench::run);
    all.put("adapters", AdaptersBench::run);
    all.put("prefix", (subject, runs, _) -> PrefixBench.run(subject, runs));
    all.put("gateway", (_, runs, peers) -> GatewayBench.run(runs, peers));
    all.put("constrained", (subject, runs, _) -> ConstrainedBench.run(subject, runs));
    all.put("train", TrainBench::run);
    return all;
  }

  /// The named ones, or all of them if none is named.
  ///
  /// @throws IllegalArgumentException that lists the names there are
  public static List<String> chosen(List<String> names) {
    for (var name : names) {
      if (!ALL.containsKey(name)) {
        throw new IllegalArgumentException(
            "no benchmark is called \"%s\"; there are %s".formatted(name, ALL.keySet()));
      }
    }
    return names.isEmpty() ? List.copyOf(ALL.keySet()) : names;
  }

  /// Runs one.
  ///
  /// @param name one of [#chosen]
  /// @param peers that it is compared with
  public static ObjectNode run(String name, Subject subject, int runs, Peers peers) {
    var benchmark = Objects.requireNonNull(ALL.get(name), name);
    return benchmark.run(subject, runs, peers).put("bench", name).put("size", subject.size());
  }
}

package dev.espalier.dataset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Numbers 0 to n − 1 joined into groups (union-find).
final class Groups {
  private final int[] parents;
  private final Map<String, Integer> first = new HashMap<>();

  Groups(int n) {
    parents = new int[n];
    Arrays.setAll(parents, i -> i);
  }

  void join(int a, int b) {
    parents[root(a)] = root(b);
  }

  /// Joins all numbers that are given the same key.
  void joinBy(String key, int i) {
    var other = first.putIfAbsent(key, i);
    if (other != null) join(i, other);
  }

  /// The groups in order of their first numbers.
  List<List<Integer>> members() {
    var members = new LinkedHashMap<Integer, List<Integer>>();
    for (int i = 0; i < parents.length; i++) {
      members.computeIfAbsent(root(i), root -> new ArrayList<>()).add(i);
    }
    return List.copyOf(members.values());
  }

  private int root(int i) {
    while (parents[i] != i) {
      parents[i] = parents[parents[i]];
      i = parents[i];
    }
    return i;
  }
}

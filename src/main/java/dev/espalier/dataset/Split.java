package dev.espalier.dataset;

import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Random;

/// A division into what is trained and what is held out, so that nothing leaks: a conversation goes
/// wholly to one side.
///
/// Of one conversation are examples that say so, examples with the same prompt, and an example
/// whose prompt goes on where another one ended.
public record Split(List<Example> train, List<Example> validation) {
  public Split {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
  }

  /// Splits by a seed; both sides keep the order of the examples.
  ///
  /// @param fraction how much to hold out. At most that much is, but at least one conversation
  ///   where there are two; with a single conversation nothing can be.
  public static Split of(List<Example> examples, double fraction, long seed) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw new IllegalArgumentException("cannot hold out a fraction of " + fraction);
    }
    if (fraction == 0) return new Split(examples, List.of());
    var conversations = new ArrayList<>(conversations(examples));
    Collections.shuffle(conversations, new Random(seed));
    long most = Math.round(fraction * examples.size());
    var held = new boolean[examples.size()];
    int count = 0;
    for (var conversation : conversations) {
      if (count + conversation.size() > most) continue;
      for (int i : conversation) held[i] = true;
      count += conversation.size();
    }
    if (count == 0 && conversations.size() > 1) {
      var smallest = Collections.min(conversations, (a, b) -> a.size() - b.size());
      for (int i : smallest) held[i] = true;
    }
    var train = new ArrayList<Example>();
    var validation = new ArrayList<Example>();
    for (int i = 0; i < held.length; i++) (held[i] ? validation : train).add(examples.get(i));
    return new Split(train, validation);
  }

  /// The indices of each conversation's examples, in order of their first ones.
  private static List<List<Integer>> conversations(List<Example> examples) {
    var digests = examples.parallelStream().map(Digests::of).toList();
    var groups = new Groups(examples.size());
    var turns = new HashMap<String, Integer>();
    var talkTurns = new HashMap<String, List<Integer>>();
    for (int i = 0; i < digests.size(); i++) {
      groups.joinBy("conversation " + examples.get(i).conversation(), i);
      groups.joinBy("question " + digests.get(i).question(), i);
      turns.putIfAbsent(digests.get(i).turn(), i);
      talkTurns.computeIfAbsent(digests.get(i).talkTurn(), t -> new ArrayList<>()).add(i);
    }
    for (int i = 0; i < digests.size(); i++) {
      boolean continues = false;
      for (var prefix : digests.get(i).prefixes()) {
        if (!turns.containsKey(prefix)) continue;
        groups.join(i, turns.get(prefix));
        continues = true;
      }
      if (continues) continue;
      // The system message may have changed since: any turn that ended like this may be meant.
      for (var prefix : digests.get(i).talk()) {
        for (int turn : talkTurns.getOrDefault(prefix, List.of())) groups.join(i, turn);
      }
    }
    return groups.members();
  }
}

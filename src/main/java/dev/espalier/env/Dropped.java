package dev.espalier.env;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// Why attempts or groups of them were dropped, each cause once with how often: people are told,
/// for a wrong key, a server that is down or an agent that fails is theirs to mend. Many threads
/// may use it.
public final class Dropped {
  private static final System.Logger LOG = System.getLogger(Dropped.class.getName());

  private final String what;
  private final SortedMap<String, Integer> causes = new TreeMap<>();

  /// @param what was dropped, in the plural
  public Dropped(String what) {
    this.what = what;
  }

  /// The attempts that say nothing about the policy.
  static Dropped of(List<TrajectoryGroup> groups) {
    var dropped = new Dropped("attempts dropped");
    for (var group : groups) {
      for (var one : group.trajectories()) if (!one.counts()) dropped.add(one.why());
    }
    return dropped;
  }

  public synchronized void add(String why) {
    causes.merge(why, 1, Integer::sum);
  }

  /// How many there are.
  public synchronized int count() {
    return causes.values().stream().mapToInt(it -> it).sum();
  }

  /// Warns of each cause.
  public synchronized void report() {
    causes.forEach((why, count) ->
        LOG.log(System.Logger.Level.WARNING, "{0}, {1} of them: {2}", what, count, why));
  }
}

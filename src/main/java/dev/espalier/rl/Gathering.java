package dev.espalier.rl;

import dev.espalier.chat.ChatModel;
import dev.espalier.env.Seeds;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.TrajectoryGroup;
import dev.espalier.rl.Advantage.Relative;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Gathers the groups of a step: attempts are made and scored, what teaches nothing is left out,
/// and other tasks take its place where the algorithm asks for it, or where nothing would be left.
/// A group whose attempts all earned the same still teaches to stay uncertain, or near the start,
/// beside others that differ.
record Gathering(Practice practice, RlConfig config) {
  private static final int ROUNDS = 4;
  private static final double FLAT = 1e-9;

  /// @param groups to learn from; every attempt in them counts
  /// @param rewards what training takes, by group and attempt
  /// @param share of the attempts that were compared, those to learn from: in a mean over attempts
  ///   the others are the zeros that they would have been; 1 where others took their place
  /// @param tried groups that were attempted
  /// @param flat of them, those whose attempts all earned the same
  /// @param unscored of them, those that could not be scored
  /// @param failed attempts that say nothing about the policy
  /// @param mean reward over all scored attempts
  /// @param success how many of them the environment calls a success
  /// @param sources the mean of each source of reward over the same attempts
  /// @param spread the mean over scored groups of the deviation of their rewards
  record Gathered(
      List<TrajectoryGroup> groups,
      double[][] rewards,
      double share,
      int tried,
      int flat,
      int unscored,
      int failed,
      double mean,
      double success,
      Map<String, Double> sources,
      double spread) {
    List<Trajectory> attempts() {
      return groups.stream().flatMap(group -> group.trajectories().stream()).toList();
    }
  }

  /// @param first the number of the first task to take; the next step goes on after those tried
  Gathered next(ChatModel policy, long first, int step) {
    var kept = new ArrayList<TrajectoryGroup>();
    var scores = new ArrayList<double[]>();
    var flats = new ArrayList<TrajectoryGroup>();
    var equal = new ArrayList<double[]>(); // theirs
    int tried = 0;
    int flat = 0;
    int unscored = 0;
    int failed = 0;
    double sum = 0;
    double spread = 0;
    int attempts = 0;
    double successes = 0;
    var sources = new TreeMap<String, Double>();
    boolean refill = config.algorithm().refill();
    for (int round = 0; round < ROUNDS; round++) {
      int missing = round == 0 || refill ? config.groups() - kept.size() : config.groups();
      if (missing == 0 || (!kept.isEmpty() && !refill)) break;
      flats.clear();
      equal.clear();
      var some = new ArrayList<Task>();
      for (int i = 0; i < missing; i++) some.add(practice.tasks().at(first + tried++));
      long seed = Seeds.of(config.seed(), (long) step * ROUNDS + round);
      var groups = new ArrayList<TrajectoryGroup>();
      var made = practice.source().run(some, policy, seed);
      practice.journal().attempted(step + 1, made);
      for (var group : made) {
        var counting = group.counting();
        failed += group.trajectories().size() - counting.size();
        if (counting.size() > (comparesInGroup() ? 1 : 0))
          groups.add(new TrajectoryGroup(group.task(), counting));
        else unscored++;
      }
      var scored = practice.rewards().score(groups);
      unscored += groups.size() - scored.size();
      for (var group : scored) {
        var totals = group.trajectories().stream().mapToDouble(this::total).toArray();
        for (double total : totals) sum += total;
        attempts += totals.length;
        for (var one : group.trajectories()) {
          if (one.reward(Trajectory.ENV) >= 1) successes++;
          one.rewards().forEach((source, reward) -> sources.merge(source, reward, Double::sum));
        }
        double deviation = deviation(totals);
        spread += deviation;
        if (deviation < FLAT) flat++;
        boolean teaches = deviation >= FLAT || !comparesInGroup();
        (teaches ? kept : flats).add(group);
        (teaches ? scores : equal).add(totals);
      }
      if (comparesInStep() && deviation(all(scores)) < FLAT) {
        kept.clear();
        scores.clear();
      }
    }
    if (!kept.isEmpty() && !refill && config.algorithm().holds()) {
      kept.addAll(flats);
      scores.addAll(equal);
    }
    int scored = tried - unscored;
    double learnt = kept.stream().mapToInt(group -> group.trajectories().size()).sum();
    double count = Math.max(1, attempts);
    sources.replaceAll((source, total) -> total / count);
    return new Gathered(
        kept,
        scores.toArray(double[][]::new),
        refill ? 1 : learnt / count,
        tried,
        flat,
        unscored,
        failed,
        sum / count,
        successes / count,
        sources,
        spread / Math.max(1, scored));
  }

  /// Whether a step whose attempts all earned the same teaches nothing.
  private boolean comparesInStep() {
    return config.algorithm().advantage() == Relative.BATCH;
  }

  /// Whether a group whose attempts all earned the same teaches nothing.
  private boolean comparesInGroup() {
    return config.algorithm().advantage() instanceof Relative && !comparesInStep();
  }

  private double total(Trajectory trajectory) {
    return practice.rewards().total(trajectory) - overlong(trajectory);
  }

  /// DAPO's soft punishment, of the longest turn.
  ///
  /// Differs from the paper: it counts where a group is left out because all earned the same, so
  /// that one that was always right still teaches to be brief.
  private double overlong(Trajectory trajectory) {
    int room = practice.source().config().maxTokens();
    double soft = config.algorithm().overlong() * room;
    if (soft == 0) return 0;
    int longest =
        trajectory.turns().stream()
            .mapToInt(turn -> turn.usage().completionTokens())
            .max()
            .orElse(0);
    return Math.clamp((longest - (room - soft)) / soft, 0, 1);
  }

  private static double[] all(List<double[]> scores) {
    return scores.stream().flatMapToDouble(Arrays::stream).toArray();
  }

  private static double deviation(double[] numbers) {
    double mean = 0;
    for (double number : numbers) mean += number / numbers.length;
    double squares = 0;
    for (double number : numbers) squares += (number - mean) * (number - mean);
    return Math.sqrt(squares / numbers.length);
  }
}

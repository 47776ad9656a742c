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
import java.util.stream.Collectors;

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

  /// @param totals what training takes for each attempt
  private record Scored(TrajectoryGroup group, double[] totals) {
    boolean flat() {
      return deviation(totals) < FLAT;
    }
  }

  /// What a step counts while its groups come in.
  private static final class Tally {
    int tried;
    int unscored;
    int failed;
    private int flat;
    private int attempts;
    private double sum;
    private int successes;
    private double spread;
    private final Map<String, Double> sources = new TreeMap<>();

    void add(Scored scored) {
      if (scored.flat()) flat++;
      attempts += scored.totals().length;
      for (double total : scored.totals()) sum += total;
      for (var attempt : scored.group().trajectories()) {
        if (attempt.reward(Trajectory.ENV) >= 1) successes++;
        attempt.rewards().forEach((source, reward) -> sources.merge(source, reward, Double::sum));
      }
      spread += deviation(scored.totals());
    }

    Gathered of(List<Scored> kept, boolean refilled) {
      double learnt = kept.stream().mapToInt(scored -> scored.totals().length).sum();
      double count = Math.max(1, attempts);
      sources.replaceAll((source, total) -> total / count);
      return new Gathered(
          kept.stream().map(Scored::group).toList(),
          kept.stream().map(Scored::totals).toArray(double[][]::new),
          refilled ? 1 : learnt / count,
          tried,
          flat,
          unscored,
          failed,
          sum / count,
          successes / count,
          sources,
          spread / Math.max(1, tried - unscored));
    }
  }

  /// @param first the number of the first task to take; the next step goes on after those tried
  Gathered next(ChatModel policy, long first, int step) {
    var tally = new Tally();
    var kept = new ArrayList<Scored>();
    var flat = List.<Scored>of(); // of the last round, and teaching nothing
    boolean refill = config.algorithm().refill();
    for (int round = 0; round < ROUNDS; round++) {
      int missing = round == 0 || refill ? config.groups() - kept.size() : config.groups();
      if (missing == 0 || (!kept.isEmpty() && !refill)) break;
      var tasks = new ArrayList<Task>();
      for (int i = 0; i < missing; i++) tasks.add(practice.tasks().at(first + tally.tried++));
      long seed = Seeds.of(config.seed(), (long) step * ROUNDS + round);
      var made = practice.source().run(tasks, policy, seed);
      practice.journal().attempted(step + 1, made);
      var teaches = scored(made, tally).stream().collect(Collectors.partitioningBy(this::teaches));
      kept.addAll(teaches.get(true));
      flat = teaches.get(false);
      if (!comparesInGroup() && deviation(all(kept)) < FLAT) kept.clear();
    }
    if (!kept.isEmpty() && !refill && config.algorithm().holds()) kept.addAll(flat);
    return tally.of(kept, refill);
  }

  /// What attempts earned, in those groups of which there is something to say.
  private List<Scored> scored(List<TrajectoryGroup> made, Tally tally) {
    var groups = new ArrayList<TrajectoryGroup>();
    for (var group : made) {
      var counting = group.counting();
      tally.failed += group.trajectories().size() - counting.size();
      if (counting.size() > (comparesInGroup() ? 1 : 0))
        groups.add(new TrajectoryGroup(group.task(), counting));
    }
    var scored = practice.rewards().score(groups).stream().map(this::scored).toList();
    tally.unscored += made.size() - scored.size();
    scored.forEach(tally::add);
    return scored;
  }

  private Scored scored(TrajectoryGroup group) {
    return new Scored(group, group.trajectories().stream().mapToDouble(this::total).toArray());
  }

  private boolean teaches(Scored group) {
    return !comparesInGroup() || !group.flat();
  }

  /// Whether a group whose attempts all earned the same teaches nothing. Elsewhere it does beside
  /// others: against the whole step, or against what a critic expected of it; a step of nothing
  /// else teaches nothing there either, for what it expected wrongly is all that is left.
  private boolean comparesInGroup() {
    var advantage = config.algorithm().advantage();
    return advantage instanceof Relative && advantage != Relative.BATCH;
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

  private static double[] all(List<Scored> groups) {
    return groups.stream().flatMapToDouble(group -> Arrays.stream(group.totals())).toArray();
  }

  private static double deviation(double[] numbers) {
    double mean = 0;
    for (double number : numbers) mean += number / numbers.length;
    double squares = 0;
    for (double number : numbers) squares += (number - mean) * (number - mean);
    return Math.sqrt(squares / numbers.length);
  }
}

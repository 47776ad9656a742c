package dev.espalier.env;

import static java.util.concurrent.CompletableFuture.supplyAsync;

import dev.espalier.chat.ChatModel;
import dev.espalier.env.Trajectory.End;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Lets a policy attempt tasks, all attempts in lockstep: every round each that is open gets one
/// turn of the policy, in one batch, and one step of its environment, side by side.
///
/// The order is that of (task, member) throughout, and each attempt has a seed of its own, so that
/// with local environments the outcome is a function of tasks, policy and seed.
public final class Rollouts implements TrajectorySource {
  private final Environments environments;
  private final RolloutConfig config;

  public Rollouts(Environments environments, RolloutConfig config) {
    this.environments = environments;
    this.config = config;
  }

  @Override
  public RolloutConfig config() {
    return config;
  }

  @Override
  public List<TrajectoryGroup> run(List<Task> tasks, ChatModel policy, long seed) {
    var attempts = new ArrayList<Attempt>();
    for (int t = 0; t < tasks.size(); t++) {
      for (int member = 0; member < config.groupSize(); member++) {
        long own = Seeds.of(Seeds.of(seed, t), member);
        attempts.add(new Attempt(environments, config, tasks.get(t), member, own));
      }
    }
    // not closed by try-with-resources, which would wait for an environment that hangs
    var threads = Executors.newVirtualThreadPerTaskExecutor();
    try {
      inParallel(threads, attempts, Attempt::start);
      for (var open = open(attempts); !open.isEmpty(); open = open(attempts)) {
        var answers = policy.completeAll(open.stream().map(Attempt::request).toList());
        for (int i = 0; i < open.size(); i++) open.get(i).answer(answers.get(i));
        inParallel(threads, open(open), Attempt::step);
      }
      var groups = groups(tasks, attempts);
      Dropped.of(groups).report();
      return groups;
    } finally {
      threads.shutdownNow();
      try (var closing = Executors.newVirtualThreadPerTaskExecutor()) {
        for (var attempt : open(attempts)) closing.execute(attempt::close);
      }
    }
  }

  private static List<Attempt> open(List<Attempt> attempts) {
    return attempts.stream().filter(Attempt::open).toList();
  }

  private interface Act {
    void on(Attempt attempt);
  }

  /// Does something in every attempt at once; one whose environment fails or takes too long begins
  /// anew while it may. Those that failed are closed at once, too, for a server that hangs takes
  /// its time for that.
  private void inParallel(ExecutorService threads, List<Attempt> attempts, Act act) {
    var acts = attempts.stream().map(it -> threads.submit(() -> act.on(it))).toList();
    Map<Attempt, CompletableFuture<Boolean>> failed = new LinkedHashMap<>();
    long deadline = System.nanoTime() + config.timeout().toNanos();
    for (int i = 0; i < acts.size(); i++) {
      var attempt = attempts.get(i);
      try {
        acts.get(i).get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof Error error) throw error;
        var why = String.valueOf(e.getCause());
        failed.put(attempt, supplyAsync(() -> attempt.again(End.FAILED, why), threads));
      } catch (TimeoutException e) {
        acts.get(i).cancel(true);
        var why = "the environment took more than " + config.timeout();
        failed.put(attempt, supplyAsync(() -> attempt.again(End.TIMEOUT, why), threads));
      } catch (InterruptedException e) {
        acts.forEach(one -> one.cancel(true));
        Thread.currentThread().interrupt();
        throw new IllegalStateException("the rollouts were interrupted", e);
      }
    }
    var anew =
        failed.entrySet().stream()
            .filter(one -> one.getValue().join())
            .map(Map.Entry::getKey)
            .toList();
    if (!anew.isEmpty()) inParallel(threads, anew, Attempt::start);
  }

  private List<TrajectoryGroup> groups(List<Task> tasks, List<Attempt> attempts) {
    var groups = new ArrayList<TrajectoryGroup>();
    int size = config.groupSize();
    for (int t = 0; t < tasks.size(); t++) {
      var members = attempts.subList(t * size, (t + 1) * size);
      groups.add(
          new TrajectoryGroup(tasks.get(t), members.stream().map(Attempt::outcome).toList()));
    }
    return groups;
  }
}

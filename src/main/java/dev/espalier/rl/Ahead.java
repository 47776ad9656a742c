package dev.espalier.rl;

import dev.espalier.rl.Evaluator.Success;
import dev.espalier.rl.Gathering.Gathered;
import dev.espalier.train.TrainingException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Where attempts are made and policies evaluated, one step after the other: those of the steps to
/// come while a step trains, as far as the run lets its policy be behind.
final class Ahead implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Ahead.class.getName());
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private record Begun(Future<Gathered> gathered, int version) {}

  /// A step's attempts.
  ///
  /// @param staleness how many steps behind the policy was that made them
  record Taken(Gathered gathered, int staleness) {}

  private final Gathering gathering;
  private final Evaluator evaluator;
  private final PolicyLearner learner;
  private final RlConfig config;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("rollouts").daemon().factory());
  private final Deque<Begun> begun = new ArrayDeque<>();
  private int next; // the step to begin
  private long task; // on the thread only

  /// @param step the first to be taken
  /// @param task the number of its first task
  Ahead(Practice practice, RlConfig config, PolicyLearner learner, int step, long task) {
    gathering = new Gathering(practice, config);
    evaluator = practice.evaluator();
    this.learner = learner;
    this.config = config;
    next = step;
    this.task = task;
  }

  /// The attempts of the next step, whose policy has been trained that often.
  Taken take(int step) {
    for (; next <= step + config.staleness() && next < config.steps(); next++) begin(next, step);
    var first = begun.remove();
    return new Taken(result(first.gathered()), step - first.version());
  }

  private void begin(int step, int version) {
    var policy = learner.policy(version);
    var gathered =
        thread.submit(() -> {
          var attempts = gathering.next(policy, task, step);
          task += attempts.tried();
          return attempts;
        });
    begun.add(new Begun(gathered, version));
  }

  /// How good the policy is now.
  Success evaluate(int version) {
    var policy = learner.policy(version);
    Callable<Success> evaluation = () -> evaluator.evaluate(policy);
    return result(thread.submit(evaluation));
  }

  private static <T> T result(Future<T> future) {
    try {
      return future.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) throw cause;
      if (e.getCause() instanceof Error cause) throw cause;
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TrainingException("the run was interrupted");
    }
  }

  @Override
  public void close() {
    end(thread, PATIENCE);
  }

  /// Interrupts what goes on and waits for it, but not for ever: the run has its result by now, so
  /// that what does not end is said and no failure.
  static void end(ExecutorService thread, Duration patience) {
    thread.shutdownNow();
    try {
      if (!thread.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS)) {
        LOG.log(
            System.Logger.Level.WARNING, "attempts go on {0} after the run has ended", patience);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

package dev.espalier.env;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.env.Trajectory.End;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One attempt of an agent that drives itself, from when it is offered until the agent posts its
/// reward or is given up. Many threads may use it.
public final class Episode {
  /// The model name that an agent asks for.
  public static final String POLICY = "policy";

  /// Why the policy did not answer, which is how it ends if the agent is never heard of again.
  private record Refusal(End end, String why) {}

  private final String id = "ep-" + UUID.randomUUID(); // random: who knows it may end it
  private final Task task;
  private final int member;
  private final RolloutConfig config;
  private final ChatModel model;
  private final long seed;

  private final EpisodeTranscript transcript = new EpisodeTranscript();
  private boolean taken;
  private int asked;
  private int answering;
  private long heard = System.nanoTime();
  private boolean cut;
  private @Nullable Refusal refusal;
  private @Nullable Trajectory outcome;

  Episode(Task task, int member, RolloutConfig config, ChatModel model, long seed) {
    this.task = task;
    this.member = member;
    this.config = config;
    this.model = model;
    this.seed = seed;
  }

  public String id() {
    return id;
  }

  public Task task() {
    return task;
  }

  /// The same attempt anew, for an agent that failed.
  Episode again() {
    return new Episode(task, member, config, model, Seeds.of(seed, -1));
  }

  /// The policy, whose answers become this attempt's turns. What it throws the agent should see:
  /// 400 for what an episode does not allow, 409 once it is over.
  public ChatModel policy() {
    return this::answer;
  }

  private Completion answer(ChatRequest request) {
    var sampled = begin(request);
    try {
      // not as a stream: a client that goes away must not leave the adapter in use behind it
      var completion = model.complete(sampled);
      add(request, completion);
      return completion;
    } catch (RuntimeException e) {
      boolean tooLong =
          e instanceof ChatException said && ChatException.TOO_LONG.equals(said.code());
      refuse(tooLong && size() > 0 ? End.LENGTH : End.FAILED, String.valueOf(e.getMessage()));
      throw e;
    } finally {
      answered();
    }
  }

  private synchronized ChatRequest begin(ChatRequest request) {
    checkOpen();
    if (transcript.size() + answering >= config.maxTurns()) {
      var why = "the episode had all of its %d turns: post its reward".formatted(config.maxTurns());
      refuse(End.TURNS, why);
      throw new ChatException(400, why);
    }
    try {
      var sampled = EpisodeRequest.of(request, config, Seeds.of(seed, asked++));
      answering++;
      return sampled;
    } catch (ChatException e) {
      refuse(End.FAILED, String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private synchronized void add(ChatRequest request, Completion completion) {
    checkOpen();
    transcript.add(request, completion);
    cut = completion.finish() == FinishReason.LENGTH;
    refusal = null;
  }

  private synchronized void refuse(End end, String why) {
    refusal = new Refusal(end, why);
  }

  private synchronized void answered() {
    answering--;
    heard = System.nanoTime();
    notifyAll();
  }

  private synchronized int size() {
    return transcript.size();
  }

  private void checkOpen() {
    if (outcome != null) throw over(id);
  }

  static ChatException over(String id) {
    return new ChatException(409, "episode \"%s\" is over".formatted(id));
  }

  /// Ends it with what the agent makes of it, 1 for success and 0 for failure.
  ///
  /// @return how many turns of the policy it had
  /// @throws IllegalArgumentException if the reward is no finite number
  /// @throws ChatException 409 if it is over already
  public synchronized int reward(double reward, String why) {
    checkOpen();
    if (!Double.isFinite(reward)) {
      throw new IllegalArgumentException("a reward must be a finite number, not " + reward);
    }
    if (transcript.size() == 0) {
      end(End.FAILED, 0, "a reward was posted before the policy had a turn");
      return 0;
    }
    end(ended(), reward, why);
    return transcript.size();
  }

  private End ended() {
    if (refusal != null && refusal.end() != End.FAILED) return refusal.end();
    return cut ? End.LENGTH : End.DONE;
  }

  /// Gives it up, for want of a reward; does nothing if it is over.
  public synchronized void fail(String why) {
    if (outcome == null) giveUp(End.FAILED, why);
  }

  private void end(End how, double reward, String why) {
    outcome =
        new Trajectory(
            task,
            member,
            transcript.messages(),
            transcript.tools(),
            transcript.turns(),
            how,
            why,
            Map.of(Trajectory.ENV, reward));
    notifyAll();
  }

  /// Hands it to an agent, whose time begins.
  ///
  /// @return false if it is over already
  synchronized boolean take() {
    if (outcome != null) return false;
    taken = true;
    heard = System.nanoTime();
    notifyAll();
    return true;
  }

  /// Waits at most that long until an agent has it, or it is over.
  synchronized boolean awaitTaken(long nanos) throws InterruptedException {
    long until = System.nanoTime() + nanos;
    while (!taken && outcome == null && System.nanoTime() < until) {
      TimeUnit.NANOSECONDS.timedWait(this, until - System.nanoTime());
    }
    return taken || outcome != null;
  }

  synchronized boolean taken() {
    return taken;
  }

  /// Waits until it is over; the launcher of an agent does.
  public synchronized void awaitOver() throws InterruptedException {
    while (outcome == null) wait();
  }

  /// Waits until it is over and nothing is asked of the policy any more. An agent that is not heard
  /// of for the time-out is given up.
  synchronized Trajectory outcome() throws InterruptedException {
    while (outcome == null || answering > 0) {
      long left = heard + config.timeout().toNanos() - System.nanoTime();
      if (outcome != null || answering > 0) wait();
      else if (left > 0) TimeUnit.NANOSECONDS.timedWait(this, left);
      else giveUp(End.TIMEOUT, "the agent was silent for " + config.timeout());
    }
    return Objects.requireNonNull(outcome);
  }

  /// An agent that gives up once the policy does not answer does so for that reason.
  private void giveUp(End how, String why) {
    if (refusal == null) end(how, 0, why);
    else end(refusal.end(), 0, refusal.why());
  }
}

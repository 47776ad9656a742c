package dev.espalier.env;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.CompletionJson;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.env.Trajectory.End;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// One attempt while it is being made: what was said so far, and how it ended once it has.
final class Attempt {
  private final Environments environments;
  private final RolloutConfig config;
  private final Task task;
  private final int member;
  private final long seed;

  private int trial; // what an environment says of an earlier one comes too late
  private @Nullable Env env;
  private ArrayNode messages = Json.array();
  private @Nullable ArrayNode tools;
  private List<Completion> turns = new ArrayList<>();
  private @Nullable ChatException refusal; // of a conversation that no model could continue
  private @Nullable Trajectory outcome;

  Attempt(Environments environments, RolloutConfig config, Task task, int member, long seed) {
    this.environments = environments;
    this.config = config;
    this.task = task;
    this.member = member;
    this.seed = seed;
  }

  Task task() {
    return task;
  }

  boolean open() {
    return outcome == null;
  }

  Trajectory outcome() {
    if (outcome == null) throw new IllegalStateException("the attempt is not over");
    return outcome;
  }

  /// Opens the environment, for the first time or anew.
  void start() {
    int now = current();
    var opened = environments.open(task, Seeds.of(seed, now));
    synchronized (this) {
      if (late(now)) {
        opened.close();
        return;
      }
      env = opened;
    }
    var conversation = opened.start();
    synchronized (this) {
      if (late(now)) return;
      tools = conversation.tools();
      hear(conversation.messages());
    }
  }

  /// Takes what the environment says.
  ///
  /// @throws ChatException if it is no conversation
  private void hear(Iterable<? extends JsonNode> more) {
    for (var message : more) messages.add(message);
    var _ = ChatRequest.of("policy", messages, tools).conversation();
  }

  private synchronized int current() {
    return trial;
  }

  private boolean late(int of) {
    return trial != of || outcome != null;
  }

  /// What the policy is asked next.
  ChatRequest request() {
    var request = ChatRequest.of("policy", messages.deepCopy(), tools);
    request
        .json()
        .put("temperature", config.temperature())
        .put("max_tokens", config.maxTokens())
        .put("seed", Seeds.of(seed, 1000L * (trial + 1) + turns.size()));
    return request;
  }

  /// Takes the policy's turn.
  void answer(Supplier<Completion> answer) {
    Completion completion;
    try {
      completion = answer.get();
    } catch (ChatException e) {
      boolean tooLong = ChatException.TOO_LONG.equals(e.code());
      // a conversation beyond the model's context is the policy's doing; the rest is not
      if (tooLong && !turns.isEmpty()) end(End.LENGTH, 0, e.getMessage());
      else if (e.status() != 400 || tooLong) end(End.FAILED, 0, e.getMessage());
      else refusal = e;
      return;
    }
    turns.add(completion);
    messages.add(CompletionJson.message(completion.message()));
  }

  /// Lets the environment answer the last turn; one that was cut off is the last in any case.
  ///
  /// @throws ChatException if the model could make nothing of what the environment said
  void step() {
    if (env == null) throw new IllegalStateException("the attempt was not started");
    if (refusal != null) throw refusal;
    int now = current();
    boolean cut = turns.getLast().finish() == FinishReason.LENGTH;
    var step = env.step(turns.getLast());
    synchronized (this) {
      if (!late(now)) follow(step, cut);
    }
  }

  private void follow(Step step, boolean cut) {
    switch (step) {
      case Step.Done(var reward, var why) -> end(cut ? End.LENGTH : End.DONE, reward, why);
      case Step.Continue(var more) -> {
        hear(more);
        if (cut) {
          end(End.LENGTH, 0, "a turn had more than %d tokens".formatted(config.maxTokens()));
        } else if (turns.size() >= config.maxTurns()) {
          end(End.TURNS, 0, "not done after %d turns".formatted(turns.size()));
        }
      }
    }
  }

  /// The environment failed: begins anew if that may be, else ends.
  ///
  /// @return whether it is to be started again
  synchronized boolean again(End how, @Nullable String why) {
    close();
    if (trial >= config.retries()) {
      end(how, 0, why);
      return false;
    }
    trial++;
    refusal = null;
    turns = new ArrayList<>();
    messages = Json.array();
    return true;
  }

  private void end(End how, double reward, @Nullable String why) {
    outcome =
        new Trajectory(
            task,
            member,
            messages,
            tools,
            turns,
            how,
            why == null ? how.toString() : why,
            Map.of(Trajectory.ENV, reward));
    close();
  }

  void close() {
    if (env != null) env.close();
    env = null;
  }
}

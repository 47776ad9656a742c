package dev.espalier.env;

import dev.espalier.chat.Completion;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;

/// One whole attempt at a task, as it happened.
///
/// @param member its number in its group
/// @param messages all that was said, in OpenAI's format
/// @param tools null if there were none
/// @param turns the policy's completions, in order, with their token traces
/// @param end how it ended
/// @param why in one line, for people
/// @param rewards by their source, such as `env`; what training takes is their weighted sum
public record Trajectory(
    Task task,
    int member,
    ArrayNode messages,
    @Nullable ArrayNode tools,
    List<Completion> turns,
    End end,
    String why,
    Map<String, Double> rewards) {
  /// The reward that the environment itself gives.
  public static final String ENV = "env";

  /// How an attempt ended.
  public enum End {
    /// The environment said so.
    DONE,
    /// The policy had all the turns it may have.
    TURNS,
    /// A completion or the conversation was longer than it may be.
    LENGTH,
    /// The environment took too long: not the policy's fault, so nothing is learnt from it.
    TIMEOUT,
    /// The environment or the policy's model failed: nothing is learnt from it.
    FAILED
  }

  public Trajectory {
    turns = List.copyOf(turns);
    rewards = Map.copyOf(rewards);
  }

  /// Whether it says something about the policy.
  public boolean counts() {
    return switch (end) {
      case DONE, TURNS, LENGTH -> !turns.isEmpty();
      case TIMEOUT, FAILED -> false;
    };
  }

  /// The reward of that source, 0 if there is none.
  public double reward(String source) {
    return rewards.getOrDefault(source, 0.0);
  }

  /// The same with one reward more.
  public Trajectory with(String source, double reward) {
    var all = new HashMap<>(rewards);
    all.put(source, reward);
    return new Trajectory(task, member, messages, tools, turns, end, why, all);
  }

  /// How many tokens the policy sampled.
  public int sampledTokens() {
    return turns.stream().mapToInt(turn -> turn.usage().completionTokens()).sum();
  }
}

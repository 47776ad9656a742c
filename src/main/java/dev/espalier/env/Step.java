package dev.espalier.env;

import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// What an environment answers to a turn of the policy.
public sealed interface Step {
  /// The conversation goes on.
  ///
  /// @param messages what the policy reads next, in OpenAI's format: tool results, a user's words
  record Continue(List<ObjectNode> messages) implements Step {
    public Continue {
      messages = List.copyOf(messages);
      if (messages.isEmpty()) {
        throw new IllegalArgumentException("a conversation that goes on needs a message");
      }
    }
  }

  /// The attempt is over.
  ///
  /// @param reward what the environment itself makes of it; 1 is success and 0 failure
  /// @param why in one line, for people
  record Done(double reward, String why) implements Step {
    public Done {
      if (!Double.isFinite(reward)) {
        throw new IllegalArgumentException("a reward must be a number, not " + reward);
      }
    }
  }
}

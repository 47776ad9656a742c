package dev.espalier.rl;

import dev.espalier.chat.ChatModel;

/// Says how good a policy is, on tasks that it does not practise on.
public interface Evaluator {
  /// @param low the 95 % interval's lower end
  /// @param tasks how many it was tried on
  record Success(double rate, double low, double high, int tasks) {}

  Success evaluate(ChatModel policy);
}

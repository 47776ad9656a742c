package dev.espalier.rl;

import dev.espalier.chat.ChatRequest;
import dev.espalier.env.Tasks;
import dev.espalier.env.TrajectorySource;
import java.util.function.UnaryOperator;

/// What a policy practises on, and how it is told whether it did well.
///
/// @param identity everything of it that a run depends on, in words: a run is continued only with
///   the same
/// @param source of attempts at the tasks
/// @param evaluator on tasks that it does not practise on
/// @param view what is done to every request before the policy sees it, such as the pruning that
///   its adapter was trained with
/// @param journal keeps what is done
public record Practice(
    String identity,
    TrajectorySource source,
    Tasks tasks,
    Rewards rewards,
    Evaluator evaluator,
    UnaryOperator<ChatRequest> view,
    Journal journal) {
  public Practice {
    source.config().sampled();
  }
}

/// Reinforcement learning: advantages, the algorithms as values, and the one loop of the GRPO
/// family and PPO.
@NullMarked
package dev.espalier.rl;

import org.jspecify.annotations.NullMarked;

package dev.espalier.cli;

import dev.espalier.engine.BaseModel;
import dev.espalier.env.Difficulty;
import dev.espalier.env.Errands;
import dev.espalier.env.Realism;
import dev.espalier.env.RolloutConfig;
import dev.espalier.rl.Algorithm;
import dev.espalier.rl.Grpo;
import dev.espalier.rl.Journal;
import dev.espalier.rl.Rewards;
import dev.espalier.rl.RlConfig;
import dev.espalier.store.Adapter;
import dev.espalier.store.Example;
import dev.espalier.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ObjectNode;

/// The demo's fourth act: an adapter practises in the harbour office itself, by GRPO, and is
/// rewarded for what stands in the office's book at the end of a conversation.
///
/// The best policy is chosen on tasks of its own, and measured on others.
///
/// @param folder where the run's folder is made
record DemoPractice(BaseModel base, Store store, Serving serving, Path folder, long seed) {
  private static final int STEPS = 40;
  private static final int GROUPS = 12;
  private static final double RATE = 6e-4;
  private static final int UPDATES = 2;
  private static final double ENTROPY = 0.01;
  private static final int RANK = 16;
  private static final double ALPHA = 32;
  private static final Errands ERRANDS =
      new Errands(1, 10, List.of("lookup_vessel", "reserve_berth"));
  private static final int EVALUATE_EVERY = 10;
  private static final long VALIDATION_SEED = 20_260_601;
  private static final int VALIDATION_TASKS = 64;
  private static final long HELD_OUT_SEED = 20_260_501;
  private static final int HELD_OUT_TASKS = 200;

  /// People who say everything, in their own way.
  private static final Realism OFFICE =
      new Realism(new Difficulty(0.02, 0, 0, 0.1, 0, 0), "any", 0, 0, 0, Duration.ZERO);

  private static final RolloutConfig ATTEMPTS =
      new RolloutConfig(8, 4, 96, 1, Duration.ofSeconds(30), 1);

  /// What the beginner learns from: the first requests of conversations about nothing else than
  /// what it will practise.
  static List<Example> lessons(List<Example> captured) {
    var others =
        captured.stream()
            .filter(example -> !practised(example))
            .map(Example::conversation)
            .collect(Collectors.toSet());
    return captured.stream()
        .filter(example -> !others.contains(example.conversation()))
        .limit(DemoConfig.FEW)
        .toList();
  }

  private static boolean practised(Example example) {
    var calls = example.expected().calls();
    return calls.stream().allMatch(call -> ERRANDS.tools().contains(call.name()));
  }

  /// Lets an adapter practise, and makes what comes of it known by another name.
  Reinforcement of(Adapter start, String name, Consumer<ObjectNode> progress) {
    long begin = System.nanoTime();
    var rules = start.rules();
    var journal = new Journal(store, RlCommand.RUN_PREFIX + folder.getFileName());
    var world = Worlds.portAlder(OFFICE, ERRANDS, seed, VALIDATION_SEED, VALIDATION_TASKS);
    var practice = world.practice(start.path(), ATTEMPTS, Rewards.ENVIRONMENT, rules, journal);
    var config =
        new RlConfig(
            Algorithm.preset("dapo").updating(UPDATES).exploring(ENTROPY),
            STEPS,
            GROUPS,
            RATE,
            RANK,
            ALPHA,
            RATE,
            EVALUATE_EVERY,
            seed,
            0);
    var result =
        Grpo.run(
            base,
            Path.of(start.path()),
            config,
            practice,
            folder,
            line -> progress.accept(line.put("steps", STEPS)));
    Teaching.keep(store, name, base, rules, result.adapter(), null);

    var heldOut = Worlds.portAlder(OFFICE, ERRANDS, seed, HELD_OUT_SEED, HELD_OUT_TASKS);
    var before = Objects.requireNonNull(serving.find(start.name()), start.name());
    var after = Objects.requireNonNull(serving.find(name), name);
    return new Reinforcement(
        heldOut.success(before, ATTEMPTS),
        heldOut.success(after, ATTEMPTS),
        result.steps(),
        (System.nanoTime() - begin) / 1e9);
  }
}

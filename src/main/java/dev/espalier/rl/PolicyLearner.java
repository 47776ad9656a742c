package dev.espalier.rl;

import dev.espalier.chat.ChatModel;
import dev.espalier.engine.BaseModel;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.model.Peft;
import dev.espalier.rl.Ahead.Taken;
import dev.espalier.rl.Gathering.Gathered;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Memory;
import dev.espalier.train.AdamW;
import dev.espalier.train.LoraLearner;
import dev.espalier.train.MemoryPlan;
import dev.espalier.train.PackedRow;
import dev.espalier.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Everything that learns or is learnt from in a run: the policy, the start it is compared with,
/// and PPO's critic.
final class PolicyLearner implements AutoCloseable {
  private static final double CLIP = 1;
  private static final int SLOTS = 128; // attempts that decode together, at most
  private static final int LENGTH = 2048; // tokens that each of them should have room for

  private final BaseModel base;
  private final RlConfig config;
  private final int most; // tokens that an attempt may sample
  private final int room;
  private final double temperature; // of the sampler, and so of the trainer
  private final Policy policy;
  private final Lora reference;
  private final AdamW adam;
  private final LoraLearner learner;
  private final Trainer trainer;
  private final @Nullable Critic critic;

  /// What a step taught.
  ///
  /// @param tokens that carried loss
  /// @param entropy of the policy, estimated from what it sampled, nats a token
  /// @param kl to the start, estimated likewise (k3), from a group at least
  /// @param samplerKl between the sampler's probabilities and the trainer's before the step (k3):
  ///   those of the same policy, unless the sampler's was behind
  /// @param clipped the fraction of tokens whose ratio left the range, at the last update
  /// @param valueLoss the critic's, 0 without one
  /// @param length the mean of the attempts' sampled tokens
  record Learnt(
      double loss,
      double gradientNorm,
      long tokens,
      double entropy,
      double kl,
      double samplerKl,
      double clipped,
      double valueLoss,
      double length) {}

  /// @param start the PEFT folder to start from; null for a new adapter
  PolicyLearner(BaseModel base, @Nullable Path start, RlConfig config, Practice practice) {
    this.base = base;
    this.config = config;
    var rollouts = practice.source().config();
    most = rollouts.maxTurns() * rollouts.maxTokens();
    temperature = rollouts.temperature();
    var shape = base.shape();
    var fresh = new LoraConfig(config.rank(), config.alpha(), Set.of());
    var masters =
        Device.cpu()
            .run(
                Urgency.TRAIN,
                () ->
                    start == null
                        ? Lora.fresh(shape, fresh, config.seed())
                        : Peft.load(start, shape));
    for (var parameter : masters.parameters().values()) parameter.set_requires_grad(true);
    reference = Device.cpu().run(Urgency.TRAIN, masters::copy);
    // those of the attempts that have begun, and each followed by an evaluation's
    int casts = 2 * config.staleness() + 1;
    policy = new Policy(base, masters, SLOTS, LENGTH, practice.view(), casts);
    adam = new AdamW(masters.parameters(), AdamW.Config.withDecay(0));
    long left = Memory.available() - policy.most();
    var memory = MemoryPlan.of(shape, base.dtype(), masters.size(), policy.longest(), false, left);
    room = memory.tokens();
    learner = policy.learner(temperature, memory.keeping());
    trainer = new Trainer(base.decoder(), learner, List.of(new Trainer.Part(adam, 1)), CLIP);
    critic =
        config.algorithm().hasCritic()
            ? new Critic(base, fresh, memory.keeping(), config.criticRate(), config.seed() + 1)
            : null;
  }

  /// The policy as it is now, to sample from.
  ChatModel policy(int version) {
    return policy.at(version);
  }

  /// How many tokens an attempt can have, and so how rows are packed: free memory has a say in it.
  int longest() {
    return policy.longest();
  }

  /// How many numbers are trained.
  long parameters() {
    return policy.masters().size();
  }

  /// Learns from a step's attempts.
  ///
  /// @param rate the learning rate
  Learnt learn(Taken taken, double rate) {
    var gathered = taken.gathered();
    var algorithm = config.algorithm();
    var experience = Experience.of(gathered.attempts());
    var packed = experience.rows(algorithm.weighting(), gathered.share(), most, room);
    var start =
        new LoraLearner(
            base.weights(), reference, base.dtype(), temperature, learner.activations());
    var sampled = experience.sampled();
    var referenced = algorithm.hasReference() ? predict(start, experience, packed) : sampled;
    // before this step; what sampled, unless that was an older policy
    var now = taken.staleness() == 0 ? sampled : predict(learner, experience, packed);
    var expected = critic == null ? new float[0][] : critic.values(packed);
    var values = critic == null ? null : experience.byAttempt(packed, expected);
    var estimate = Estimate.of(algorithm, gathered.rewards(), now, referenced, values);
    var loss = algorithm.loss();

    var units = new ArrayList<Trainer.Unit>();
    for (var row : packed) {
      var tokens = experience.tokens(row, estimate.advantages(), now, referenced);
      units.add(row.unit(logprobs -> loss.of(logprobs, tokens)));
    }
    double sum = 0;
    double norm = 0;
    double valueLoss = 0;
    var first = new float[0][];
    var last = first;
    for (int update = 0; update < algorithm.updates(); update++) {
      var report = trainer.train(units, rate);
      var byRow = split(report.predictions(), packed);
      last = experience.byAttempt(packed, byRow);
      if (update == 0) first = last;
      sum += report.loss() / algorithm.updates();
      norm = Math.max(norm, report.gradientNorm());
      if (critic == null) continue;
      var came = estimate.returns();
      var returns = packed.stream().map(row -> experience.bySource(row, came)).toList();
      valueLoss += critic.learn(packed, expected, returns) / algorithm.updates();
    }
    long tokens = Divergence.count(sampled);
    return new Learnt(
        sum,
        norm,
        tokens,
        Divergence.entropy(first),
        algorithm.hasReference() ? Divergence.k3(first, referenced) : kl(start, gathered),
        Divergence.k3(sampled, first),
        Divergence.outside(last, now, loss),
        valueLoss,
        (double) tokens / sampled.length);
  }

  /// The KL to the start, estimated from one group where the loss does not ask for all of them.
  private double kl(LoraLearner start, Gathered gathered) {
    var some = Experience.of(gathered.groups().getFirst().trajectories());
    var packed = some.rows(config.algorithm().weighting(), 1, most, room);
    return Divergence.k3(some.sampled(), predict(start, some, packed));
  }

  /// What a policy predicts for the sampled tokens, by attempt.
  private float[][] predict(LoraLearner of, Experience experience, List<PackedRow> packed) {
    var rows = packed.stream().map(PackedRow::row).toList();
    return experience.byAttempt(packed, Trainer.predict(base.decoder(), of, rows));
  }

  private static float[][] split(float[] predictions, List<PackedRow> rows) {
    var out = new float[rows.size()][];
    int from = 0;
    for (int i = 0; i < out.length; i++) {
      int length = rows.get(i).row().trained();
      out[i] = Arrays.copyOfRange(predictions, from, from + length);
      from += length;
    }
    return out;
  }

  /// Writes the policy as a PEFT folder.
  void save(Path folder) {
    Device.cpu().run(Urgency.TRAIN, () -> Peft.save(folder, policy.masters(), base.name()));
  }

  /// What must be saved to go on to the same bits.
  SequencedMap<String, Tensor> state() {
    var out = new LinkedHashMap<>(policy.masters().parameters());
    out.putAll(adam.state());
    if (critic != null) out.putAll(critic.state());
    return out;
  }

  /// Optimiser steps done by policy and critic.
  int updates() {
    return adam.steps();
  }

  /// Takes up a run whose state was restored.
  void resume(int updates) {
    adam.resume(updates);
    if (critic != null) critic.resume(updates);
  }

  @Override
  public void close() {
    policy.close();
    reference.close();
    adam.close();
    if (critic != null) critic.close();
  }
}

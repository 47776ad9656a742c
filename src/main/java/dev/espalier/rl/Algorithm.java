package dev.espalier.rl;

import dev.espalier.rl.Advantage.Gae;
import dev.espalier.rl.Advantage.Relative;
import dev.espalier.train.PolicyLoss;
import dev.espalier.train.PolicyLoss.Clip;
import dev.espalier.train.PolicyLoss.Clip.Dual;
import dev.espalier.train.PolicyLoss.Clip.Range;
import dev.espalier.train.PolicyLoss.Clip.Weight;
import dev.espalier.train.PolicyLoss.Kl;
import dev.espalier.train.PolicyLoss.Ratio;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/// An algorithm of the GRPO family, as the choices it makes.
///
/// @param advantage how attempts are compared
/// @param loss ratio, clip and KL
/// @param weighting how much a token counts
/// @param klInReward how much of log π − log π_ref (k1) is taken from each token's reward with a
///   critic, and its sum from an attempt's without
/// @param refill whether groups whose attempts all earned the same are replaced by others; else
///   they count with what entropy and KL make of them, and as zeros without
/// @param overlong the last part of a turn's room in which length costs, up to a reward of 1; 0 for
///   none (DAPO's soft punishment)
/// @param updates optimiser steps on each batch
/// @param entropy how much the policy's entropy counts, nats a token: it keeps attempts at a task
///   apart, without which there is nothing to compare
public record Algorithm(
    String name,
    Advantage advantage,
    PolicyLoss loss,
    Weighting weighting,
    double klInReward,
    boolean refill,
    double overlong,
    int updates,
    double entropy) {
  private static final SequencedMap<String, Algorithm> PRESETS = presets();

  public Algorithm {
    checkWeight("a KL", klInReward);
    if (!(overlong >= 0 && overlong < 1)) {
      throw new IllegalArgumentException("a part of the room cannot be " + overlong);
    }
    checkWeight("entropy", entropy);
    if (updates < 1) throw new IllegalArgumentException("a batch needs at least one update");
  }

  private static void checkWeight(String what, double weight) {
    if (weight >= 0 && Double.isFinite(weight)) return;
    throw new IllegalArgumentException(
        "%s cannot count negatively or infinitely, as by %s".formatted(what, weight));
  }

  /// The algorithm of that name.
  ///
  /// @throws IllegalArgumentException that lists the names there are
  public static Algorithm preset(String name) {
    var preset = PRESETS.get(name);
    if (preset == null) {
      throw new IllegalArgumentException(
          "no algorithm is called \"%s\"; there are %s".formatted(name, PRESETS.keySet()));
    }
    return preset;
  }

  /// The same with so many optimiser steps on each batch.
  public Algorithm updating(int number) {
    return new Algorithm(
        name, advantage, loss, weighting, klInReward, refill, overlong, number, entropy);
  }

  /// The same with that weight of the policy's entropy.
  public Algorithm exploring(double weight) {
    return new Algorithm(
        name, advantage, loss, weighting, klInReward, refill, overlong, updates, weight);
  }

  /// The same with that weight of the KL to the start in the loss.
  public Algorithm near(double beta) {
    var nearer = new PolicyLoss(loss.ratio(), loss.clip(), loss.kl(), beta);
    return new Algorithm(
        name, advantage, nearer, weighting, klInReward, refill, overlong, updates, entropy);
  }

  /// Whether a critic says what was expected.
  public boolean hasCritic() {
    return advantage instanceof Gae;
  }

  /// Whether the loss holds the policy back whatever an attempt earned, by its entropy or its KL.
  boolean holds() {
    return entropy > 0 || loss.beta() > 0;
  }

  /// Whether the reference policy's probabilities are needed.
  public boolean hasReference() {
    return loss.beta() > 0 || klInReward > 0;
  }

  private static SequencedMap<String, Algorithm> presets() {
    var clipped = loss(Ratio.TOKEN, new Range(0.2, 0.2));
    var all = new TreeMap<String, Algorithm>();
    for (var one :
        List.of(
            of("grpo", Relative.MEAN_STD, clipped).weighted(Weighting.SEQUENCE).near(0.04),
            of("dr-grpo", Relative.MEAN, clipped).weighted(Weighting.CONSTANT),
            of("dapo", Relative.MEAN_STD, loss(Ratio.TOKEN, new Range(0.2, 0.28)))
                .refilling()
                .shortening(0.2),
            of("gspo", Relative.MEAN_STD, loss(Ratio.SEQUENCE, new Range(3e-4, 4e-4)))
                .weighted(Weighting.SEQUENCE),
            of("cispo", Relative.MEAN_STD, loss(Ratio.TOKEN, new Weight(5))),
            of("rloo", Relative.LEAVE_ONE_OUT, clipped).weighted(Weighting.CONSTANT),
            of("reinforce++", Relative.BATCH, clipped).rewardedNear(0.01),
            of("ppo", new Gae(1, 1), loss(Ratio.TOKEN, new Dual(0.2, 0.2, 3))).updating(2))) {
      all.put(one.name(), one);
    }
    return all;
  }

  /// Without a KL; one that is asked for has a gradient that several updates cannot throw.
  private static PolicyLoss loss(Ratio ratio, Clip clip) {
    return new PolicyLoss(ratio, clip, Kl.WEIGHTED_K3, 0);
  }

  private static Algorithm of(String name, Advantage advantage, PolicyLoss loss) {
    return new Algorithm(name, advantage, loss, Weighting.TOKEN, 0, false, 0, 1, 0);
  }

  private Algorithm weighted(Weighting other) {
    return new Algorithm(
        name, advantage, loss, other, klInReward, refill, overlong, updates, entropy);
  }

  private Algorithm rewardedNear(double weight) {
    return new Algorithm(
        name, advantage, loss, weighting, weight, refill, overlong, updates, entropy);
  }

  private Algorithm refilling() {
    return new Algorithm(
        name, advantage, loss, weighting, klInReward, true, overlong, updates, entropy);
  }

  private Algorithm shortening(double part) {
    return new Algorithm(
        name, advantage, loss, weighting, klInReward, refill, part, updates, entropy);
  }

  /// All presets by name.
  public static Map<String, Algorithm> all() {
    return PRESETS;
  }
}

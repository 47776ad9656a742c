package dev.espalier.rl;

import dev.espalier.rl.Advantage.Gae;
import dev.espalier.rl.Advantage.Relative;
import dev.espalier.train.PolicyLoss;
import dev.espalier.train.PolicyLoss.Clip.Dual;
import dev.espalier.train.PolicyLoss.Clip.Range;
import dev.espalier.train.PolicyLoss.Clip.Weight;
import dev.espalier.train.PolicyLoss.Kl;
import dev.espalier.train.PolicyLoss.Ratio;
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
  private static final Range USUAL = new Range(0.2, 0.2);

  private static final SequencedMap<String, Algorithm> PRESETS = presets();

  public Algorithm {
    if (!(klInReward >= 0)) throw new IllegalArgumentException("a KL cannot count negatively");
    if (!(overlong >= 0 && overlong < 1)) {
      throw new IllegalArgumentException("a part of the room cannot be " + overlong);
    }
    if (!(entropy >= 0)) throw new IllegalArgumentException("entropy cannot count negatively");
    if (updates < 1) throw new IllegalArgumentException("a batch needs at least one update");
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
    var plain = new PolicyLoss(Ratio.TOKEN, USUAL, Kl.K3, 0);
    var all = new TreeMap<String, Algorithm>();
    for (var one :
        new Algorithm[] {
          of("grpo", Relative.MEAN_STD, new PolicyLoss(Ratio.TOKEN, USUAL, Kl.WEIGHTED_K3, 0.04))
              .weighted(Weighting.SEQUENCE),
          of("dr-grpo", Relative.MEAN, plain).weighted(Weighting.CONSTANT),
          new Algorithm(
              "dapo",
              Relative.MEAN_STD,
              new PolicyLoss(Ratio.TOKEN, new Range(0.2, 0.28), Kl.K3, 0),
              Weighting.TOKEN,
              0,
              true,
              0.2,
              1,
              0),
          of(
                  "gspo",
                  Relative.MEAN_STD,
                  new PolicyLoss(Ratio.SEQUENCE, new Range(3e-4, 4e-4), Kl.K3, 0))
              .weighted(Weighting.SEQUENCE),
          of("cispo", Relative.MEAN_STD, new PolicyLoss(Ratio.TOKEN, new Weight(5), Kl.K3, 0)),
          of("rloo", Relative.LEAVE_ONE_OUT, plain).weighted(Weighting.CONSTANT),
          new Algorithm(
              "reinforce++", Relative.BATCH, plain, Weighting.TOKEN, 0.01, false, 0, 1, 0),
          new Algorithm(
              "ppo",
              new Gae(1, 1),
              new PolicyLoss(Ratio.TOKEN, new Dual(0.2, 0.2, 3), Kl.K3, 0),
              Weighting.TOKEN,
              0,
              false,
              0,
              2,
              0)
        }) {
      all.put(one.name(), one);
    }
    return all;
  }

  private static Algorithm of(String name, Advantage advantage, PolicyLoss loss) {
    return new Algorithm(name, advantage, loss, Weighting.TOKEN, 0, false, 0, 1, 0);
  }

  private Algorithm weighted(Weighting other) {
    return new Algorithm(
        name, advantage, loss, other, klInReward, refill, overlong, updates, entropy);
  }

  /// All presets by name.
  public static Map<String, Algorithm> all() {
    return PRESETS;
  }
}

package dev.espalier.bench;

import dev.espalier.chat.Sampling;
import dev.espalier.engine.Engine;
import dev.espalier.engine.Generation;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.train.AdamW;
import dev.espalier.train.LoraLearner;
import dev.espalier.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import tools.jackson.databind.node.ObjectNode;

/// The time between two tokens of running streams while an adapter trains, beside the same alone.
final class BesideTraining {
  private static final int STREAMS = 8;
  private static final int RANK = 16;

  private BesideTraining() {}

  static void measure(Subject subject, int runs, ObjectNode json) {
    var medians = new double[runs];
    var last = new double[runs];
    var kept = new double[runs];
    for (int i = -1; i < runs; i++) {
      var alone = gaps(subject);
      var training = new AtomicBoolean(true);
      var steps = new ArrayList<Double>();
      var trainer = Thread.ofPlatform().start(() -> train(subject, training, steps));
      var beside = gaps(subject);
      training.set(false);
      join(trainer);
      if (i < 0) continue;
      medians[i] = Machine.percentile(beside, 0.5) / Machine.percentile(alone, 0.5);
      last[i] = 1e3 * Machine.percentile(beside, 0.99);
      kept[i] = steps.size();
    }
    json.put("training_token_gap", Machine.median(medians))
        .put("training_token_gap_p99_ms", Machine.median(last))
        .put("training_steps_meanwhile", Machine.median(kept));
  }

  /// Seconds between the tokens of the first stream.
  private static List<Double> gaps(Subject subject) {
    try (var engine = new Engine(subject.base(), STREAMS)) {
      var streams = new ArrayList<Generation>();
      for (var prompt : subject.texts(STREAMS, subject.length())) {
        streams.add(engine.generate(prompt, Sampling.greedy(subject.length()), Set.of(), null));
      }
      var gaps = new ArrayList<Double>();
      var first = streams.getFirst();
      first.next();
      long before = System.nanoTime();
      while (first.next() != null) {
        gaps.add((System.nanoTime() - before) / 1e9);
        before = System.nanoTime();
      }
      return gaps;
    }
  }

  private static void train(Subject subject, AtomicBoolean going, List<Double> steps) {
    var base = subject.base();
    var row = TrainBench.row(subject, subject.size().equals("s") ? 8 : 2);
    try (var lora =
            Device.cpu()
                .run(Urgency.TRAIN, () -> Lora.fresh(base.shape(), LoraConfig.ofRank(RANK), 1));
        var adam = new AdamW(lora.parameters(), AdamW.Config.withDecay(0))) {
      var learner = new LoraLearner(base.weights(), lora, base.dtype());
      var trainer = new Trainer(base.decoder(), learner, List.of(new Trainer.Part(adam, 1)), 1);
      while (going.get()) steps.add(trainer.step(List.of(row), 1e-4).loss());
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

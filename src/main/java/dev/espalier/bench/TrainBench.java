package dev.espalier.bench;

import dev.espalier.chat.Json;
import dev.espalier.engine.BaseModel;
import dev.espalier.model.Activations;
import dev.espalier.model.BlockPass;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.model.Span;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.train.AdamW;
import dev.espalier.train.LoraLearner;
import dev.espalier.train.Row;
import dev.espalier.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Training steps of LoRA on all linear layers, against the rate of bare matrix products.
final class TrainBench {
  private static final int RANK = 16;
  private static final int SEQUENCE = 256;
  private static final int LEARNT = 64; // tokens of a sequence that carry loss
  private static final int WARM_UPS = 4; // steps until the JIT has compiled all of one

  private TrainBench() {}

  static ObjectNode run(Subject subject, int runs, Peers peers) {
    int sequences = subject.size().equals("s") ? 16 : 4;
    var base = subject.base();
    var row = row(subject, sequences);
    var times = new double[runs];
    var again = new double[runs];
    try (var lora =
            Device.cpu()
                .run(Urgency.TRAIN, () -> Lora.fresh(base.shape(), LoraConfig.ofRank(RANK), 1));
        var adam = new AdamW(lora.parameters(), AdamW.Config.withDecay(0))) {
      var kept = trainer(base, lora, adam, Activations.KEPT);
      var recomputed = trainer(base, lora, adam, Activations.RECOMPUTED);
      seconds(recomputed, row);
      double least = Machine.mostResident();
      for (int i = -WARM_UPS; i < runs; i++) {
        double took = seconds(kept, row);
        if (i < 0) continue;
        times[i] = took;
        again[i] = seconds(recomputed, row);
      }
      double seconds = Machine.median(times);
      int tokens = sequences * SEQUENCE;
      double needed = tokens * needed(subject, lora.size());
      var json =
          Json.object()
              .put("tokens_per_second", tokens / seconds)
              .put("resident_mib", Machine.mostResident())
              .put("recomputed_resident_mib", least)
              .put("recomputed_vs_kept", seconds / Machine.median(again));
      peers.ratio(json, "vs_peft", tokens / seconds, "train_tokens_per_second", "peft/run");
      double resident = json.get("resident_mib").asDouble();
      peers.ratio(json, "memory_vs_peft", resident, "train_resident_mib", "peft/run");
      // weights of 16 bits may be multiplied in float32, where that is faster
      double own = Machine.products(base.dtype(), runs);
      double wide = Machine.products(Dtype.F32, runs);
      boolean widened = BlockPass.sideBySide(base.shape(), base.dtype());
      json.put("vs_gemm", needed / seconds / Math.max(own, wide))
          .put("vs_gemm_same_type", needed / seconds / (widened ? wide : own));
      return json;
    }
  }

  private static Trainer trainer(BaseModel base, Lora lora, AdamW adam, Activations activations) {
    var learner = new LoraLearner(base.weights(), lora, base.dtype(), 1, activations);
    return new Trainer(base.decoder(), learner, List.of(new Trainer.Part(adam, 1)), 1);
  }

  private static double seconds(Trainer trainer, Row row) {
    long begin = System.nanoTime();
    trainer.step(List.of(row), 1e-4);
    return (System.nanoTime() - begin) / 1e9;
  }

  /// So many sequences back to back, the end of each with loss.
  static Row row(Subject subject, int sequences) {
    var spans = new ArrayList<Span>();
    var weights = new float[sequences * SEQUENCE];
    for (int i = 0; i < sequences; i++) {
      spans.add(Span.whole(SEQUENCE));
      for (int t = SEQUENCE - LEARNT; t < SEQUENCE; t++) weights[i * SEQUENCE + t] = 1;
    }
    return new Row(subject.text(weights.length, 1), weights, spans);
  }

  /// Floating-point operations that a token needs, two a weight: forward and to its input through
  /// frozen layers, and to the adapter's matrices as well; the causal half of attention, whose
  /// backward pass has twice the products; the head where there is loss.
  private static double needed(Subject subject, long adapter) {
    var shape = subject.base().shape();
    double linear = 4.0 * subject.linearWeights() + 6.0 * adapter;
    double attention =
        3 * 2.0 * SEQUENCE * shape.heads() * (double) shape.headDim() * shape.layers();
    double head = 4.0 * shape.vocabulary() * (double) shape.width() * LEARNT / SEQUENCE;
    return linear + attention + head;
  }
}

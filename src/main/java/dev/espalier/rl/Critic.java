package dev.espalier.rl;

import dev.espalier.engine.BaseModel;
import dev.espalier.model.Activations;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import dev.espalier.train.AdamW;
import dev.espalier.train.CriticLearner;
import dev.espalier.train.PackedRow;
import dev.espalier.train.Trainer;
import dev.espalier.train.ValueLoss;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// PPO's critic: an adapter with a value head on the same base, learning from the same rows.
final class Critic implements AutoCloseable {
  private static final ValueLoss LOSS = new ValueLoss(0.2);
  private static final double CLIP = 1;

  private final BaseModel base;
  private final CriticLearner learner;
  private final AdamW adam;
  private final Trainer trainer;
  private final double rate;

  Critic(BaseModel base, LoraConfig config, Activations activations, double rate, long seed) {
    this.base = base;
    this.rate = rate;
    learner =
        Device.cpu()
            .run(
                Urgency.TRAIN,
                () -> {
                  try (var scope = new Scope()) {
                    var head =
                        torch.zeros(new long[] {base.shape().width() + 1}, Dtype.F32.options());
                    head.set_requires_grad(true);
                    var lora = Lora.fresh(base.shape(), config, seed);
                    return new CriticLearner(
                        base.weights(), lora, scope.keep(head), base.dtype(), activations);
                  }
                });
    adam = new AdamW(learner.parameters(), AdamW.Config.withDecay(0));
    trainer = new Trainer(base.decoder(), learner, List.of(new Trainer.Part(adam, 1)), CLIP);
  }

  /// What it expects before each token of the rows.
  float[][] values(List<PackedRow> rows) {
    return Trainer.predict(base.decoder(), learner, rows.stream().map(PackedRow::row).toList());
  }

  /// One step towards what came of the tokens.
  ///
  /// @param before what it expected, by row
  /// @param returns by row and source
  /// @return the loss
  double learn(List<PackedRow> rows, float[][] before, List<float[]> returns) {
    var units = new ArrayList<Trainer.Unit>();
    for (int i = 0; i < before.length; i++) {
      var row = rows.get(i);
      var old = row.bySource(before[i]);
      var target = returns.get(i);
      units.add(row.unit(values -> LOSS.of(values, old, target, row.weights())));
    }
    return trainer.train(units, rate).loss();
  }

  /// What must be saved to go on to the same bits.
  SequencedMap<String, Tensor> state() {
    var out = new LinkedHashMap<String, Tensor>();
    learner.parameters().forEach((name, tensor) -> out.put("critic." + name, tensor));
    adam.state().forEach((name, tensor) -> out.put("critic." + name, tensor));
    return out;
  }

  /// Takes up a run that has done that many steps.
  void resume(int updates) {
    adam.resume(updates);
  }

  @Override
  public void close() {
    adam.close();
    learner.adapter().close();
    learner.head().close();
  }
}

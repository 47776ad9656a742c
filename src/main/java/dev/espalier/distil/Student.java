package dev.espalier.distil;

import dev.espalier.engine.BaseModel;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.model.ModelFolder;
import dev.espalier.model.Peft;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.train.FullLearner;
import dev.espalier.train.Learner;
import dev.espalier.train.LoraLearner;
import java.nio.file.Path;

/// What a distillation trains: an adapter on the base, or a copy of all its weights.
sealed interface Student extends AutoCloseable {
  /// What the trainer sees.
  Learner learner();

  /// Writes it: a PEFT folder, or a model folder.
  void save(Path folder);

  @Override
  void close();

  static Student of(BaseModel base, DistilConfig config) {
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              if (config.full()) return new Full(base, base.weights().trainable());
              var lora = new LoraConfig(config.rank(), config.alpha(), java.util.Set.of());
              return new Adapted(base, Lora.fresh(base.shape(), lora, config.seed()));
            });
  }

  record Adapted(BaseModel base, Lora lora) implements Student {
    @Override
    public Learner learner() {
      return new LoraLearner(base.weights(), lora, base.dtype());
    }

    @Override
    public void save(Path folder) {
      Device.cpu().run(Urgency.TRAIN, () -> Peft.save(folder, lora, base.name()));
    }

    @Override
    public void close() {
      lora.close();
    }
  }

  record Full(BaseModel base, Weights masters) implements Student {
    @Override
    public Learner learner() {
      return new FullLearner(masters, base.dtype());
    }

    @Override
    public void save(Path folder) {
      ModelFolder.write(folder, base.shape(), masters, base.dtype(), base.folder());
    }

    @Override
    public void close() {
      masters.close();
    }
  }
}

package dev.espalier.distil;

import dev.espalier.engine.BaseModel;
import dev.espalier.model.Activations;
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
import java.util.SequencedMap;
import org.bytedeco.pytorch.Tensor;

/// What a distillation trains: an adapter on the base, or a copy of all its weights.
sealed interface Student extends AutoCloseable {
  /// What is trained, by name.
  SequencedMap<String, Tensor> parameters();

  /// What the trainer sees.
  Learner learner(Activations activations);

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
    public SequencedMap<String, Tensor> parameters() {
      return lora.parameters();
    }

    @Override
    public Learner learner(Activations activations) {
      return new LoraLearner(base.weights(), lora, base.dtype(), 1, activations);
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
    public SequencedMap<String, Tensor> parameters() {
      return learner(Activations.KEPT).parameters();
    }

    @Override
    public Learner learner(Activations activations) {
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

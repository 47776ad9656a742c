package dev.espalier.distil;

import dev.espalier.chat.Json;
import dev.espalier.engine.BaseModel;
import dev.espalier.tensor.Memory;
import dev.espalier.train.AdamW;
import dev.espalier.train.Checkpoint;
import dev.espalier.train.MemoryPlan;
import dev.espalier.train.Schedule;
import dev.espalier.train.Trainer;
import dev.espalier.train.TrainingException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Supervised fine-tuning on completions: the loss is on what the model is to say and on nothing
/// else.
///
/// As "LoRA Without Regret" has it: every linear layer, alpha 32, AdamW without decay, small
/// batches. The adapter kept is the one of the lowest validation loss. A run is a function of its
/// data, config and seed: killed and started again with the same folder, it ends with the same
/// bits, having lost a minute at most.
public final class Distil {
  private static final double CLIP = 1.0;
  private static final Duration CHECKPOINT_EVERY = Duration.ofMinutes(1);

  private Distil() {}

  /// What a run did.
  ///
  /// @param adapter the folder of the best adapter: PEFT, or a model folder for full fine-tuning
  /// @param validationLoss the best one's; null if nothing was held out
  public record Result(
      Path adapter,
      int steps,
      int bestStep,
      @Nullable Double validationLoss,
      long parameters,
      int sequences,
      long trainedTokens) {
    /// The numbers for people and programs.
    public ObjectNode toJson() {
      return Json.object()
          .put("adapter", adapter.toString())
          .put("steps", steps)
          .put("best_step", bestStep)
          .put("validation_loss", validationLoss)
          .put("parameters", parameters)
          .put("sequences", sequences)
          .put("trained_tokens", trainedTokens);
    }
  }

  /// Trains to the end, from the newest checkpoint of the run if there is one; that must be of the
  /// same data and config.
  ///
  /// @param validation may be empty: then the last adapter is the best
  /// @param run the run's folder: checkpoints, and `best`
  /// @param progress is handed the plan, a record a step and a record a validation
  /// @throws TrainingException if there is nothing to train, not enough memory, or the loss is not
  ///   finite
  public static Result run(
      BaseModel base,
      Sequences train,
      Sequences validation,
      DistilConfig config,
      Path run,
      Consumer<ObjectNode> progress) {
    if (train.trainedTokens() == 0) throw new TrainingException("zero tokens to train on");
    int epoch = train.stepsAnEpoch(config.batch());
    int steps = epoch * config.epochs();
    var schedule = new Schedule(config.learningRate(), Math.max(1, steps / 20), steps / 2, steps);
    try (var student = Student.of(base, config);
        var adam = new AdamW(student.parameters(), AdamW.Config.withDecay(0))) {
      long parameters = student.parameters().values().stream().mapToLong(Tensor::numel).sum();
      var memory =
          MemoryPlan.of(
              base.shape(),
              base.dtype(),
              parameters,
              longest(train, validation),
              config.full(),
              Memory.available());
      boolean heldOut = !validation.all().isEmpty();
      progress.accept(
          plan(memory, train, parameters, steps).put("held_out", validation.all().size()));
      var learner = student.learner(memory.keeping());
      var trainer = new Trainer(base.decoder(), learner, List.of(new Trainer.Part(adam, 1)), CLIP);
      var tensors = state(student, adam);
      int step = 0;
      var best = Best.NONE;
      var identity = identity(base, train, validation, config);
      var checkpoint = Checkpoint.latest(run);
      if (checkpoint != null) {
        continued(checkpoint, identity);
        checkpoint.restore(tensors);
        step = checkpoint.progress().path("step").asInt();
        best = Best.of(checkpoint.progress());
        adam.resume(step);
      }

      long saved = System.nanoTime();
      while (step < steps) {
        var rows = train.step(step, config.batch(), config.seed(), memory.tokens());
        var report = trainer.step(rows, schedule.at(step));
        step++;
        progress.accept(
            line("step", step, steps)
                .put("loss", report.loss())
                .put("gradient_norm", report.gradientNorm())
                .put("trained_tokens", report.trainedTokens()));
        if (step % epoch == 0) {
          double loss =
              heldOut
                  ? trainer.loss(Sequences.pack(validation.all(), memory.tokens()))
                  : -step; // later is better
          if (loss < best.loss()) {
            best = new Best(step, loss);
            student.save(run.resolve("best"));
          }
          if (heldOut) progress.accept(line("validation", step, steps).put("loss", loss));
        }
        if (step % epoch != 0 && System.nanoTime() - saved < CHECKPOINT_EVERY.toNanos()) continue;
        var noted = best.toJson().put("step", step).put("identity", identity);
        Checkpoint.save(run, step, tensors, noted, 1);
        saved = System.nanoTime();
      }
      return new Result(
          run.resolve("best"),
          steps,
          best.step(),
          heldOut ? best.loss() : null,
          parameters,
          train.all().size(),
          train.trainedTokens() * config.epochs());
    }
  }

  /// What a checkpoint must have been trained on to be continued.
  private static String identity(
      BaseModel base, Sequences train, Sequences validation, DistilConfig config) {
    return "%s %s %s %s %s"
        .formatted(base.name(), base.dtype(), config, train.digest(), validation.digest());
  }

  private static void continued(Checkpoint checkpoint, String identity) {
    if (checkpoint.progress().path("identity").asString("").equals(identity)) return;
    throw new TrainingException(
        ("%s is of a run on other examples or with other settings:"
                + " take another --name, or delete the folder %s to start anew")
            .formatted(checkpoint.folder(), checkpoint.folder().getParent()));
  }

  private static int longest(Sequences train, Sequences validation) {
    return Math.max(train.longest(), validation.longest());
  }

  private static ObjectNode plan(MemoryPlan memory, Sequences train, long parameters, int steps) {
    return line("plan", 0, steps)
        .put("sequences", train.all().size())
        .put("tokens", train.tokens())
        .put("trained_tokens", train.trainedTokens())
        .put("parameters", parameters)
        .put("memory", memory.total())
        .put("activations", memory.keeping().name().toLowerCase(Locale.ROOT));
  }

  private static ObjectNode line(String event, int step, int steps) {
    return Json.object().put("event", event).put("step", step).put("steps", steps);
  }

  private static SequencedMap<String, Tensor> state(Student student, AdamW adam) {
    var out = new LinkedHashMap<>(student.parameters());
    out.putAll(adam.state());
    return out;
  }
}

package dev.espalier.pretrain;

import dev.espalier.chat.Tokenizer;
import dev.espalier.model.Decoder;
import dev.espalier.model.ModelException;
import dev.espalier.model.ModelFolder;
import dev.espalier.model.ModelShape;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.train.AdamW;
import dev.espalier.train.Checkpoint;
import dev.espalier.train.FullLearner;
import dev.espalier.train.Muon;
import dev.espalier.train.Optimiser;
import dev.espalier.train.Schedule;
import dev.espalier.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Pre-training of the built-in model: documents in, a Hugging Face folder out, resumable at any
/// moment.
///
/// Muon for the hidden matrices and AdamW for the rest; products in bfloat16, masters in float32;
/// the learning rate level, then falling over the last part of the run.
public final class Pretrain {
  private static final double INITIAL_DEVIATION = 0.02;
  private static final int VOCABULARY = 4096;

  private Pretrain() {}

  /// The whole recipe: a vocabulary if the run has none yet, then the loop.
  ///
  /// @param sgd the folder of the SGD data
  /// @param run the run's folder, made if absent; one that exists is continued
  /// @param from a model of this recipe to start from, with its vocabulary; null to start from
  ///   noise
  /// @param steps the whole run's length; a continued run may be given another
  /// @param rate the peak learning rate of the hidden matrices
  /// @param progress is handed one record a step
  public static void start(
      Path sgd,
      Path run,
      @Nullable Path from,
      int steps,
      double rate,
      long seed,
      Consumer<ObjectNode> progress) {
    var files = run.resolve("tokenizer");
    boolean fresh = !Files.exists(files.resolve("tokenizer.json"));
    if (fresh && from != null) {
      copyTokenizer(from, files);
    } else if (fresh) {
      progress.accept(JsonMapper.shared().createObjectNode().put("event", "vocabulary"));
      var vocabulary =
          Bpe.train(VocabularyText.of(sgd, seed).stream(), VOCABULARY, BuiltinChat.SPECIALS);
      vocabulary.write(
          files, BuiltinChat.tokenizerConfig(PretrainConfig.shape(VOCABULARY).context()));
    }
    try (var tokenizer = Tokenizer.load(files)) {
      var corpus = Corpus.open(sgd, tokenizer, seed);
      var config = PretrainConfig.standard(steps, rate, seed);
      run(config, corpus, tokenizer.size(), files, run, from, progress);
    }
  }

  /// The run keeps the vocabulary that it began with, whether or not it is named again.
  private static void copyTokenizer(Path from, Path files) {
    try {
      Files.createDirectories(files);
      for (var name : List.of("tokenizer_config.json", "tokenizer.json")) {
        Files.copy(from.resolve(name), files.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new ModelException("cannot take the tokenizer of the model " + from, e);
    }
  }

  /// Runs to the configured step.
  ///
  /// @param run the run's folder: checkpoints, and `model`, which every checkpoint renews
  /// @param tokenizer the folder with the tokenizer files, copied beside the weights
  /// @param progress is handed one record a step
  private static void run(
      PretrainConfig config,
      Corpus corpus,
      int vocabulary,
      Path tokenizer,
      Path run,
      @Nullable Path from,
      Consumer<ObjectNode> progress) {
    var device = Device.cpu();
    var shape = PretrainConfig.shape(vocabulary);
    var decoder = device.run(Urgency.TRAIN, () -> new Decoder(shape));
    var masters = device.run(Urgency.TRAIN, () -> initial(shape, from, config.seed()));
    var muon = new Muon(pick(masters, true), 0.05);
    var adam = new AdamW(pick(masters, false), new AdamW.Config(0.9, 0.95, 1e-8, 0));
    var trainer =
        new Trainer(
            decoder,
            new FullLearner(masters, Dtype.BF16),
            List.of(
                new Trainer.Part(muon, 1),
                new Trainer.Part(adam, config.adamRate() / config.muonRate())),
            1.0);
    var schedule =
        new Schedule(
            config.muonRate(), 20, (int) (config.steps() * (1 - config.decay())), config.steps());
    int step = resume(run, masters, muon, adam, corpus);

    for (; step < config.steps(); step++) {
      var packing = Packing.next(corpus, config.rows(), config.length());
      long start = System.nanoTime();
      var report = trainer.step(packing.rows(), schedule.at(step));
      double seconds = (System.nanoTime() - start) / 1e9;
      var line = JsonMapper.shared().createObjectNode().put("event", "step").put("step", step + 1);
      line.put("loss", report.loss()).put("call_loss", loss(packing, report, Document.CALL));
      line.put("text_loss", loss(packing, report, Document.TEXT));
      line.put("gradient_norm", report.gradientNorm()).put("rate", schedule.at(step));
      int tokens = packing.rows().stream().mapToInt(row -> row.ids().length).sum();
      line.put("tokens", tokens).put("tokens_per_second", tokens / seconds);
      progress.accept(line);
      if ((step + 1) % config.checkpointEvery() == 0 || step + 1 == config.steps()) {
        line.put("documents", corpus.position());
        Checkpoint.save(run, step + 1, state(masters, muon, adam), line, 2);
        ModelFolder.write(run.resolve("model"), shape, masters, Dtype.BF16, tokenizer);
      }
    }
  }

  private static Weights initial(ModelShape shape, @Nullable Path from, long seed) {
    if (from != null) {
      try (var stored = Weights.load(from, shape, Dtype.F32)) {
        return stored.trainable();
      }
    }
    var weights = Weights.random(shape, INITIAL_DEVIATION, torch.make_generator_cpu(seed));
    for (var tensor : weights.all().values()) tensor.set_requires_grad(true);
    return weights;
  }

  private static int resume(
      Path run, Weights masters, Optimiser muon, Optimiser adam, Corpus corpus) {
    var checkpoint = Checkpoint.latest(run);
    if (checkpoint == null) return 0;
    checkpoint.restore(state(masters, muon, adam));
    int step = checkpoint.progress().path("step").asInt();
    muon.resume(step);
    adam.resume(step);
    corpus.seek(checkpoint.progress().path("documents").asLong());
    return step;
  }

  private static SequencedMap<String, Tensor> state(
      Weights masters, Optimiser muon, Optimiser adam) {
    var out = new LinkedHashMap<>(masters.all());
    out.putAll(muon.state());
    out.putAll(adam.state());
    return out;
  }

  /// The matrices inside blocks, or everything else.
  private static SequencedMap<String, Tensor> pick(Weights weights, boolean hidden) {
    var out = new LinkedHashMap<String, Tensor>();
    weights
        .all()
        .forEach((name, tensor) -> {
          if (hidden == name.endsWith("_proj.weight")) out.put(name, tensor);
        });
    return out;
  }

  private static double loss(Packing packing, Trainer.Report report, byte part) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < packing.parts().length; i++) {
      if (packing.parts()[i] != part) continue;
      sum -= report.predictions()[i];
      count++;
    }
    return count == 0 ? 0 : sum / count;
  }
}

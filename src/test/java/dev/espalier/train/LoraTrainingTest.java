package dev.espalier.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.model.Decoder;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.model.ModelShape;
import dev.espalier.model.Peft;
import dev.espalier.model.Safetensors;
import dev.espalier.model.Span;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// LoRA's mathematics: against PEFT, against finite differences, and the properties it must have.
final class LoraTrainingTest {
  private static final String PREFIX = "base_model.model.";

  /// A model of the fixtures with an adapter, in float32.
  private record Fixture(Decoder decoder, Weights weights, Lora lora) {
    static Fixture load(String model, String adapter) {
      var folder = ReferenceTraining.FIXTURES.resolve(model);
      var shape = ModelShape.read(folder);
      return new Fixture(
          new Decoder(shape),
          Weights.load(folder, shape, Dtype.F32),
          Peft.load(folder.resolve(adapter), shape));
    }

    LoraLearner learner() {
      return new LoraLearner(weights, lora, Dtype.F32);
    }

    double loss(List<Row> rows) {
      return trainer(List.of()).loss(rows);
    }

    Trainer trainer(List<Trainer.Part> parts) {
      return new Trainer(decoder, learner(), parts, Double.POSITIVE_INFINITY);
    }
  }

  private static void onDevice(Runnable work) {
    Device.cpu().run(Urgency.TRAIN, work);
  }

  @ParameterizedTest
  @CsvSource({
    "qwen3-tiny, lora-all-linear",
    "llama-tiny, lora-patterns",
    "llama-tiny, lora-rslora",
    "llama-tiny, lora-head",
    "qwen2-tiny, lora-biased"
  })
  void trainsAsPeftDoes(String model, String adapter) {
    onDevice(() -> {
      var fixture = Fixture.load(model, adapter);
      var reference = ReferenceTraining.read(model + "/" + adapter + "/expected.json");
      var folder = ReferenceTraining.FIXTURES.resolve(model).resolve(adapter);
      var gradients = new Gradients();
      var adam = new AdamW(fixture.lora().parameters(), reference.config());
      var watched = new Trainer.Part(gradients.before(adam, fixture.lora().parameters()), 1);
      var trainer = fixture.trainer(List.of(watched));
      for (int step = 1; step <= 3; step++) {
        var report = trainer.step(reference.rows(), reference.learningRate());
        assertThat(report.loss()).isCloseTo(reference.losses().get(step - 1), within(2e-5));
        if (step == 1) same(gradients.seen(), folder.resolve("gradients.safetensors"), 1e-5);
        if (step != 2) {
          var after = folder.resolve("after_step_" + step + ".safetensors");
          same(values(fixture.lora().parameters()), after, 2e-5);
        }
      }
    });
  }

  @Test
  void fullFineTuningHasTheGradientsOfTransformers() {
    onDevice(() -> {
      var folder = ReferenceTraining.FIXTURES.resolve("qwen3-tiny");
      var shape = ModelShape.read(folder);
      var masters = Weights.load(folder, shape, Dtype.F32).trainable();
      var reference = ReferenceTraining.read("qwen3-tiny/full_training.json");
      var gradients = new Gradients();
      var watched = gradients.before(new Still(), masters.all());
      var trainer =
          new Trainer(
              new Decoder(shape),
              new FullLearner(masters, Dtype.F32),
              List.of(new Trainer.Part(watched, 1)),
              Double.POSITIVE_INFINITY);
      var report = trainer.step(reference.rows(), 0);
      assertThat(report.loss()).isCloseTo(reference.losses().getFirst(), within(2e-5));
      var file = Safetensors.open(folder.resolve("full_gradients.safetensors"));
      assertThat(gradients.seen().keySet()).containsAll(file.names());
      for (var name : file.names()) {
        close(name, gradients.of(name), floats(file.tensor(name)), 1e-5);
      }
    });
  }

  @Test
  void gradientsAreThoseOfFiniteDifferences() {
    onDevice(() -> {
      var fixture = Fixture.load("qwen3-tiny", "lora-all-linear");
      var rows = ReferenceTraining.read("qwen3-tiny/lora-all-linear/expected.json").rows();
      var gradients = new Gradients();
      var watched = gradients.before(new Still(), fixture.lora().parameters());
      fixture.trainer(List.of(new Trainer.Part(watched, 1))).step(rows, 0);
      var random = new Random(7);
      fixture
          .lora()
          .parameters()
          .forEach((name, parameter) -> {
            var direction = new float[(int) parameter.numel()];
            double along = 0;
            for (int i = 0; i < direction.length; i++) {
              direction[i] = random.nextBoolean() ? 1e-3f : -1e-3f;
              along += gradients.of(name)[i] * direction[i];
            }
            double above = shifted(fixture, rows, parameter, direction, 1);
            double below = shifted(fixture, rows, parameter, direction, -1);
            assertThat((above - below) / 2)
                .as(name)
                .isCloseTo(along, within(3e-5 + 0.02 * Math.abs(along)));
          });
    });
  }

  private static double shifted(
      Fixture fixture, List<Row> rows, Tensor parameter, float[] direction, int sign) {
    var before = parameter.detach().clone();
    try (var noGrad = new NoGradGuard()) {
      var shift =
          org.bytedeco
              .pytorch
              .global
              .torch
              .tensor(direction, Dtype.F32.options())
              .view(parameter.sizes());
      parameter.add_(shift, new Scalar(sign));
      double loss = fixture.loss(rows);
      parameter.copy_(before);
      return loss;
    }
  }

  @Test
  void aNewAdapterOfAnyRankStartsFromTheBase() {
    onDevice(() -> {
      var fixture = Fixture.load("qwen3-tiny", "lora-all-linear");
      var rows = ReferenceTraining.read("qwen3-tiny/lora-all-linear/expected.json").rows();
      var losses = new ArrayList<Double>();
      for (int rank : new int[] {1, 2, 8, 32, 64}) {
        var lora = Lora.fresh(fixture.decoder().shape(), LoraConfig.ofRank(rank), rank);
        losses.add(new Fixture(fixture.decoder(), fixture.weights(), lora).loss(rows));
      }
      assertThat(losses).containsOnly(losses.getFirst());
    });
  }

  /// α → α/(pq), A → p·A, B → q·B, with learning rates p and q times as large, is the same run
  /// under Adam with ε = 0 ("LoRA Without Regret"). With powers of two it is the same to the bit.
  @ParameterizedTest
  @ValueSource(ints = {2, 8})
  void adamDoesNotSeeHowTheAdapterIsScaled(int p) {
    onDevice(() -> {
      double q = 4;
      var rows = ReferenceTraining.read("qwen3-tiny/lora-all-linear/expected.json").rows();
      var plain = Fixture.load("qwen3-tiny", "lora-all-linear");
      var scaled = Fixture.load("qwen3-tiny", "lora-all-linear");
      var sites = new LinkedHashMap<String, Lora.Site>();
      try (var noGrad = new NoGradGuard()) {
        scaled
            .lora()
            .sites()
            .forEach((name, site) -> {
              site.a().mul_(new Scalar(p));
              site.b().mul_(new Scalar(q));
              sites.put(name, new Lora.Site(site.a(), site.b(), site.scale() / (p * q)));
            });
      }
      var other = new Fixture(scaled.decoder(), scaled.weights(), Lora.of(sites));
      assertThat(losses(other, rows, p, q)).isEqualTo(losses(plain, rows, 1, 1));
    });
  }

  private static List<Double> losses(Fixture fixture, List<Row> rows, double a, double b) {
    var exact = new AdamW.Config(0.9, 0.999, 0, 0);
    var trainer =
        fixture.trainer(
            List.of(
                new Trainer.Part(new AdamW(only(fixture.lora(), "lora_A"), exact), a),
                new Trainer.Part(new AdamW(only(fixture.lora(), "lora_B"), exact), b)));
    var out = new ArrayList<Double>();
    for (int step = 0; step < 5; step++) out.add(trainer.step(rows, 1e-3).loss());
    return out;
  }

  private static SequencedMap<String, Tensor> only(Lora lora, String kind) {
    var out = new LinkedHashMap<String, Tensor>();
    lora.parameters()
        .forEach((name, tensor) -> {
          if (name.contains(kind)) out.put(name, tensor);
        });
    return out;
  }

  @Test
  void aStartThatSequencesShareIsTrainedAsIfEachHadItsOwn() {
    onDevice(() -> {
      var random = new Random(11);
      var start = random.ints(7, 0, 96).toArray();
      var apart = new ArrayList<Row>();
      var spans = new ArrayList<>(List.of(new Span(start.length, -1)));
      var ids = IntStream.builder();
      var weights = new ArrayList<Float>();
      for (int id : start) ids.add(id);
      for (int t = 0; t < start.length; t++) weights.add(0f);
      for (int length : new int[] {1, 5, 9}) {
        var end = random.ints(length, 0, 96).toArray();
        var whole = IntStream.concat(Arrays.stream(start), Arrays.stream(end)).toArray();
        var counts = new float[whole.length];
        Arrays.fill(counts, start.length, counts.length, 0.5f + length);
        apart.add(Row.of(whole, counts));
        spans.add(new Span(length, 0));
        for (int id : end) ids.add(id);
        for (int t = 0; t < length; t++) weights.add(0.5f + length);
      }
      var counts = new float[weights.size()];
      for (int t = 0; t < counts.length; t++) counts[t] = weights.get(t);
      var shared = new Row(ids.build().toArray(), counts, spans);

      var expected = gradients(apart);
      var actual = gradients(List.of(shared));
      assertThat(actual.logprobs).hasSize(15);
      close("log p", actual.logprobs, expected.logprobs, 1e-5);
      assertThat(actual.seen().keySet()).isEqualTo(expected.seen().keySet());
      actual.seen().forEach((name, values) -> close(name, values, expected.of(name), 1e-5));
    });
  }

  @Test
  void whatSequencesShareIsTrainedAsIfEachHadItsOwn() {
    onDevice(() -> {
      var random = new Random(12);
      var sequences = new ArrayList<Sequence>();
      sequences.add(sequence(random, new int[0], 40));
      for (int parts : new int[] {30, 35, 38, 40}) {
        var start = Arrays.copyOf(sequences.getFirst().ids(), parts);
        sequences.add(sequence(random, start, 6));
        sequences.add(sequence(random, sequences.getLast().ids(), 5));
      }
      sequences.add(sequence(random, sequences.get(2).ids(), 0)); // one is there twice
      var apart = sequences.stream().map(it -> Row.of(it.ids(), it.weights())).toList();
      var packed = Packer.pack(sequences, 1000).getFirst().row();
      assertThat(packed.ids().length).isLessThan(200);
      var expected = gradients(apart); // sums of some hundred terms, in another order
      gradients(List.of(packed))
          .seen()
          .forEach((name, values) -> close(name, values, expected.of(name), 1e-4));
    });
  }

  /// Half of its tokens carry loss, each as much as it likes.
  private static Sequence sequence(Random random, int[] start, int more) {
    var ids = IntStream.concat(Arrays.stream(start), random.ints(more, 0, 96)).toArray();
    var weights = new float[ids.length];
    for (int t = 1; t < ids.length; t++) if (random.nextBoolean()) weights[t] = random.nextFloat();
    return new Sequence(ids, weights);
  }

  private static Gradients gradients(List<Row> rows) {
    var fixture = Fixture.load("qwen3-tiny", "lora-all-linear");
    var gradients = new Gradients();
    var watched = gradients.before(new Still(), fixture.lora().parameters());
    var report = fixture.trainer(List.of(new Trainer.Part(watched, 1))).step(rows, 0);
    gradients.logprobs = report.predictions();
    return gradients;
  }

  @Test
  void aSavedAdapterReloadedIsTheSame(@TempDir Path folder) {
    onDevice(() -> {
      var fixture = Fixture.load("llama-tiny", "lora-patterns");
      var rows = ReferenceTraining.read("llama-tiny/lora-patterns/expected.json").rows();
      Peft.save(folder, fixture.lora(), "llama-tiny");
      var again = Peft.load(folder, fixture.decoder().shape());
      assertThat(new Fixture(fixture.decoder(), fixture.weights(), again).loss(rows))
          .isEqualTo(fixture.loss(rows));
    });
  }

  @Test
  void killedAndResumedEndsWithTheSameBits(@TempDir Path run) {
    onDevice(() -> {
      var rows = ReferenceTraining.read("qwen3-tiny/lora-all-linear/expected.json").rows();
      var whole = Fixture.load("qwen3-tiny", "lora-all-linear");
      steps(whole, rows, new AdamW(whole.lora().parameters(), AdamW.Config.withDecay(0.1)), 6);

      var first = Fixture.load("qwen3-tiny", "lora-all-linear");
      var adam = new AdamW(first.lora().parameters(), AdamW.Config.withDecay(0.1));
      steps(first, rows, adam, 3);
      Checkpoint.save(
          run,
          3,
          state(first, adam),
          tools.jackson.databind.json.JsonMapper.shared().createObjectNode(),
          1);

      var second = Fixture.load("qwen3-tiny", "lora-all-linear");
      var resumed = new AdamW(second.lora().parameters(), AdamW.Config.withDecay(0.1));
      var checkpoint = Objects.requireNonNull(Checkpoint.latest(run));
      checkpoint.restore(state(second, resumed));
      resumed.resume(3);
      steps(second, rows, resumed, 3);
      assertThat(values(second.lora().parameters()))
          .usingRecursiveComparison()
          .isEqualTo(values(whole.lora().parameters()));
    });
  }

  private static void steps(Fixture fixture, List<Row> rows, AdamW adam, int count) {
    var trainer = fixture.trainer(List.of(new Trainer.Part(adam, 1)));
    for (int i = 0; i < count; i++) trainer.step(rows, 1e-2);
  }

  private static SequencedMap<String, Tensor> state(Fixture fixture, AdamW adam) {
    var out = new LinkedHashMap<>(fixture.lora().parameters());
    out.putAll(adam.state());
    return out;
  }

  private static void same(Map<String, float[]> actual, Path file, double tolerance) {
    var expected = Safetensors.open(file);
    assertThat(expected.names()).hasSameSizeAs(actual.keySet());
    actual.forEach(
        (name, values) -> close(name, values, floats(expected.tensor(PREFIX + name)), tolerance));
  }

  private static void close(String name, float[] actual, float[] expected, double tolerance) {
    assertThat(actual).as(name).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat((double) actual[i])
          .as("%s[%d]", name, i)
          .isCloseTo(expected[i], within(tolerance * Math.max(1, Math.abs(expected[i]))));
    }
  }

  private static Map<String, float[]> values(SequencedMap<String, Tensor> tensors) {
    var out = new TreeMap<String, float[]>();
    tensors.forEach((name, tensor) -> out.put(name, floats(tensor)));
    return out;
  }

  private static float[] floats(Tensor tensor) {
    var out = new float[(int) tensor.numel()];
    tensor.detach().contiguous().data_ptr_float().get(out);
    return out;
  }

  /// Notes the gradients that an optimiser is given.
  private static final class Gradients {
    private final Map<String, float[]> seen = new TreeMap<>();
    private float[] logprobs = new float[0];

    Map<String, float[]> seen() {
      return seen;
    }

    float[] of(String name) {
      return Objects.requireNonNull(seen.get(name), name);
    }

    Optimiser before(Optimiser optimiser, SequencedMap<String, Tensor> parameters) {
      return new Optimiser() {
        @Override
        public void step(double learningRate) {
          parameters.forEach((name, tensor) -> seen.putIfAbsent(name, floats(tensor.grad())));
          optimiser.step(learningRate);
        }

        @Override
        public SequencedMap<String, Tensor> state() {
          return optimiser.state();
        }

        @Override
        public int steps() {
          return optimiser.steps();
        }

        @Override
        public void resume(int steps) {
          optimiser.resume(steps);
        }

        @Override
        public void close() {
          optimiser.close();
        }
      };
    }
  }

  /// Changes nothing.
  private static final class Still implements Optimiser {
    @Override
    public void step(double learningRate) {}

    @Override
    public SequencedMap<String, Tensor> state() {
      return new LinkedHashMap<>();
    }

    @Override
    public int steps() {
      return 0;
    }

    @Override
    public void resume(int steps) {}

    @Override
    public void close() {}
  }
}

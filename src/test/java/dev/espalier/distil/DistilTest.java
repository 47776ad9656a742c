package dev.espalier.distil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.TrainingSequence;
import dev.espalier.engine.BaseModel;
import dev.espalier.engine.TinyModel;
import dev.espalier.train.TrainingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A run's life: it ends with the same bits however often it was cut off, and never goes on with
/// something else.
final class DistilTest {
  @TempDir private Path folder = Path.of("");
  private @Nullable BaseModel base;

  @BeforeEach
  void load() {
    base = TinyModel.load(folder);
  }

  @AfterEach
  void close() {
    base().close();
  }

  private BaseModel base() {
    if (base == null) throw new IllegalStateException("not loaded");
    return base;
  }

  private static DistilConfig config(int epochs) {
    return new DistilConfig(4, 32, 1e-2, epochs, 4, 3);
  }

  private static Sequences sequences(long seed) {
    var random = new Random(seed);
    var out = new ArrayList<TrainingSequence>();
    for (int i = 0; i < 10; i++) {
      var ids = random.ints(12, 0, 96).toArray();
      var trained = new boolean[12];
      Arrays.fill(trained, 8, 12, true);
      out.add(new TrainingSequence(ids, trained));
    }
    return new Sequences(out);
  }

  private Distil.Result run(Sequences train, DistilConfig config, String name, int killedAt) {
    return Distil.run(
        base(),
        train,
        sequences(99),
        config,
        folder.resolve(name),
        line -> {
          boolean now = line.path("event").asString().equals("step");
          if (now && line.path("step").asInt() == killedAt) throw new Killed();
        });
  }

  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 8})
  void aRunThatWasCutOffEndsWithTheSameBits(int killedAt) throws IOException {
    var whole = run(sequences(1), config(3), "whole", -1);
    assertThatThrownBy(() -> run(sequences(1), config(3), "cut", killedAt))
        .isInstanceOf(Killed.class);
    var again = run(sequences(1), config(3), "cut", -1);
    assertThat(again.validationLoss()).isEqualTo(whole.validationLoss());
    assertThat(weights(again)).isEqualTo(weights(whole));
  }

  private static byte[] weights(Distil.Result result) throws IOException {
    return Files.readAllBytes(result.adapter().resolve("adapter_model.safetensors"));
  }

  @Test
  void whereNothingIsHeldOutThereIsNoValidationLoss() {
    var events = new HashSet<String>();
    var none = new Sequences(List.of());
    var result =
        Distil.run(
            base(),
            sequences(1),
            none,
            config(2),
            folder.resolve("all"),
            line -> events.add(line.path("event").asString()));
    assertThat(events).containsExactlyInAnyOrder("plan", "step");
    assertThat(result.bestStep()).isEqualTo(result.steps());
    assertThat(result.toJson().get("validation_loss").isNull()).isTrue();
  }

  @Test
  void aRunOfOtherExamplesOrSettingsIsNotContinued() {
    run(sequences(1), config(1), "one", -1);
    var others = List.of(List.of(sequences(2), config(1)), List.of(sequences(1), config(2)));
    for (var other : others) {
      var train = (Sequences) other.get(0);
      var config = (DistilConfig) other.get(1);
      assertThatThrownBy(() -> run(train, config, "one", -1))
          .isInstanceOf(TrainingException.class)
          .hasMessageContaining("other examples or with other settings")
          .hasMessageContaining(folder.resolve("one").toString());
    }
  }

  @Test
  void nothingToLearnIsAnError() {
    var none = new Sequences(List.of());
    assertThatThrownBy(() -> run(none, config(1), "none", -1))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("zero tokens");
  }
}

package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.TokenTrace;
import dev.espalier.chat.Usage;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import dev.espalier.train.PackedRow;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Which tokens are learnt from: those sampled, once each, whatever way they are packed.
final class ExperienceTest {
  private static Completion turn(int[] prompt, int... ids) {
    var logprobs = new float[ids.length];
    for (int i = 0; i < ids.length; i++) logprobs[i] = -ids[i] / 100f;
    var trace = new TokenTrace(prompt, ids, logprobs, "policy@1", 1);
    var message = new Message.Assistant("", List.of());
    return new Completion(message, FinishReason.STOP, new Usage(prompt.length, ids.length), trace);
  }

  private static Trajectory attempt(Completion... turns) {
    var task = new Task("none", "t", Json.object());
    return new Trajectory(
        task, 0, Json.array(), null, List.of(turns), End.DONE, "", Map.of(Trajectory.ENV, 1.0));
  }

  private static int[] ids(int... ids) {
    return ids;
  }

  @Test
  void turnsThatGoOnMakeOneSequence() {
    var one = attempt(turn(ids(1, 2, 3), 4, 5), turn(ids(1, 2, 3, 4, 5, 6), 7));
    var samples = Experience.of(List.of(one)).samples();
    assertThat(samples).hasSize(1);
    assertThat(samples.getFirst().ids()).containsExactly(1, 2, 3, 4, 5, 6, 7);
    assertThat(samples.getFirst().sampled())
        .containsExactly(false, false, false, true, true, false, true);
    assertThat(samples.getFirst().logprobs()[6]).isEqualTo(-0.07f);
  }

  @Test
  void aPromptThatIsRewrittenStartsAnotherSequence() {
    var one = attempt(turn(ids(1, 2, 3), 4, 5), turn(ids(1, 2, 4, 5, 6), 7, 8));
    var experience = Experience.of(List.of(one));
    assertThat(experience.samples()).hasSize(2);
    assertThat(experience.samples().get(1).first()).isEqualTo(2);
    assertThat(experience.lengths()).containsExactly(4);
    assertThat(experience.sampled()[0]).containsExactly(-0.04f, -0.05f, -0.07f, -0.08f);
  }

  /// The same prompt for many attempts is shared in the rows, and each token keeps its numbers.
  @Test
  void packedTokensKeepTheirNumbers() {
    var prompt = new int[100];
    Arrays.setAll(prompt, i -> i + 1);
    var attempts =
        List.of(
            attempt(turn(prompt, 40, 41)),
            attempt(turn(prompt, 30)),
            attempt(turn(prompt, 50, 51, 52), turn(ids(9, 9), 60)));
    var experience = Experience.of(attempts);
    var rows = experience.rows(Weighting.SEQUENCE, 1, 100, 1000);
    var predictions = new float[rows.size()][];
    for (int r = 0; r < predictions.length; r++) {
      predictions[r] = new float[rows.get(r).row().trained()];
      for (var source : rows.get(r).sources()) {
        var sample = experience.samples().get(source.sequence());
        predictions[r][source.prediction()] = sample.logprobs()[source.token()];
      }
    }
    assertThat(experience.byAttempt(rows, predictions)).isDeepEqualTo(experience.sampled());
    for (int r = 0; r < predictions.length; r++) {
      assertThat(experience.bySource(rows.get(r), experience.sampled()))
          .containsExactly(rows.get(r).bySource(predictions[r]));
    }
    int tokens = rows.stream().mapToInt(row -> row.row().ids().length).sum();
    assertThat(tokens).isEqualTo(100 + 2 + 1 + 3 + 3);
    assertThat(weight(rows)).isCloseTo(1, within(1e-6));
    var half = experience.rows(Weighting.SEQUENCE, 0.5, 100, 1000);
    assertThat(weight(half)).isCloseTo(0.5, within(1e-6));
  }

  private static double weight(List<PackedRow> rows) {
    double weight = 0;
    for (var row : rows) for (float one : row.row().trainedWeights()) weight += one;
    return weight;
  }

  @Test
  void tokensOfAPolicyThatWasBehindCountByHowLikelyTheyAreNow() {
    var experience = Experience.of(List.of(attempt(turn(ids(1, 2, 3), 10, 20, 30))));
    var row = experience.rows(Weighting.SEQUENCE, 1, 100, 1000).getFirst();
    float[][] now = {{-0.1f, -0.2f + (float) Math.log(3), -0.3f - (float) Math.log(2)}};
    var tokens = experience.tokens(row, new double[][] {{1, 1, 1}}, now, now);
    assertThat(tokens.sampled()).containsExactly(now[0]);
    float third = 1f / 3;
    assertThat(tokens.weights())
        .containsExactly(new float[] {third, 2 * third, third / 2}, within(1e-6f));
    var same = experience.tokens(row, new double[][] {{1, 1, 1}}, experience.sampled(), now);
    assertThat(same.weights()).containsExactly(third, third, third);
  }

  @Test
  void anAnswerWithoutATraceCannotBeLearntFrom() {
    var remote =
        new Completion(
            new Message.Assistant("hello", List.of()), FinishReason.STOP, new Usage(1, 1), null);
    assertThatThrownBy(() -> Experience.of(List.of(attempt(remote))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("token trace");
  }
}

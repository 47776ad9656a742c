package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.CompletionJson;
import dev.espalier.env.Dialogue;
import dev.espalier.env.Dialogue.Turn;
import dev.espalier.env.PortAlder;
import dev.espalier.eval.Evaluate;
import dev.espalier.eval.EvaluateConfig;
import dev.espalier.eval.Grade;
import dev.espalier.store.Example;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class NearestCapturedTest {
  private static List<Example> examples(Stream<Dialogue> dialogues) {
    return dialogues
        .map(Dialogue::turns)
        .flatMap(List::stream)
        .map(NearestCapturedTest::example)
        .toList();
  }

  private static Example example(Turn turn) {
    return new Example(
        ChatRequest.of("m", turn.messages(), PortAlder.tools()),
        CompletionJson.message(turn.answer()),
        turn.dialogue(),
        turn.dialogue());
  }

  @Test
  void knowsWhatWasCapturedAndFindsTheToolOfWhatWasNot() {
    var captured = examples(PortAlder.captured(1, 150));
    var nearest = new NearestCaptured(captured);
    var config = new EvaluateConfig(16, 512, "");
    assertThat(Evaluate.run(nearest, captured, config, turn -> {}).exact()).isGreaterThan(0.95);

    var heldOut = Evaluate.run(nearest, examples(PortAlder.heldOut(1, 60)), config, turn -> {});
    assertThat(heldOut.exact()).isLessThan(0.05); // its values are another's
    int rightTool = heldOut.calls().getOrDefault(Grade.WRONG_VALUE, 0);
    assertThat(rightTool).isGreaterThan(heldOut.n() / 4); // blind guessing finds one in six
  }

  @Test
  void needsSomethingToLookAmong() {
    assertThatThrownBy(() -> new NearestCaptured(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}

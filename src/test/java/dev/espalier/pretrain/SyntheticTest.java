package dev.espalier.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.User;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SyntheticTest {
  private static final long SEED = 20_260_301;
  private static final int SAMPLE = 1000;

  private static final Synthetic SYNTHETIC = new Synthetic(new Words(Lexicon.of(null), null));
  private static final List<Conversation> CONVERSATIONS =
      IntStream.range(0, SAMPLE).mapToObj(i -> SYNTHETIC.draw(Dice.of(SEED, i))).toList();

  @Test
  void everyCallFitsItsSchema() {
    int calls = 0;
    for (var conversation : CONVERSATIONS) {
      for (var turn : conversation.turns()) {
        if (!(turn instanceof Call call)) continue;
        calls++;
        var tool =
            conversation.tools().stream()
                .filter(t -> t.name().equals(call.tool()))
                .findFirst()
                .orElseThrow();
        assertThat(Schemas.violations(tool, call)).as(() -> Rendering.text(conversation)).isEmpty();
      }
    }
    assertThat(calls).isGreaterThan(2 * SAMPLE);
  }

  /// The point of the generator: a name, a code or a number in a call stands in the text before it.
  @Test
  void mostValuesOfCallsStandVerbatimInTheTextBefore() {
    int copied = 0;
    int all = 0;
    for (var conversation : CONVERSATIONS) {
      var before = new StringBuilder();
      for (var turn : conversation.turns()) {
        switch (turn) {
          case System(var text) -> before.append(text);
          case User(var text) -> before.append(text);
          case Say(var text) -> before.append(text);
          case Result(var text) -> before.append(text);
          case Call call -> {
            for (var value : call.arguments().values()) {
              if (value instanceof Boolean) continue;
              all++;
              if (before.indexOf(value.toString()) >= 0) copied++;
            }
          }
        }
        before.append('\n');
      }
    }
    assertThat((double) copied / all).isBetween(0.75, 0.95);
  }

  @Test
  void toolsOfAConversationHaveDistinctNamesAndSchemasVaryByTheThousand() {
    var schemas = new HashSet<String>();
    for (var conversation : CONVERSATIONS) {
      var names = new ArrayList<String>();
      for (var tool : conversation.tools()) {
        names.add(tool.name());
        schemas.add(tool.json().toString());
      }
      assertThat(names).doesNotHaveDuplicates();
    }
    assertThat(schemas.size()).isGreaterThan(2 * SAMPLE);
  }

  @Test
  void nothingReservedIsSaid() {
    var reserved = new Reserved();
    for (var conversation : CONVERSATIONS) {
      assertThat(reserved.allows(Rendering.text(conversation)))
          .as(() -> Rendering.text(conversation))
          .isTrue();
    }
  }

  @Test
  void theSameSeedAndIndexGiveTheSameConversation() {
    for (int i = 0; i < 50; i++) {
      assertThat(SYNTHETIC.draw(Dice.of(SEED, i))).isEqualTo(SYNTHETIC.draw(Dice.of(SEED, i)));
    }
    assertThat(SYNTHETIC.draw(Dice.of(SEED, 1))).isNotEqualTo(SYNTHETIC.draw(Dice.of(SEED, 2)));
  }
}

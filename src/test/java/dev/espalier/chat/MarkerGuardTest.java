package dev.espalier.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.pretrain.BuiltinChat;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MarkerGuardTest {
  private static final char CUT = '\uFDD0';

  @Test
  void plainTextIsLeftAlone() {
    var guard = new MarkerGuard(BuiltinChat.SPECIALS);
    assertThat(guard.cut("a <b> c|d <|nobody|>", CUT)).isEqualTo("a <b> c|d <|nobody|>");
  }

  @Test
  void noPieceBetweenCutsSpellsASpecialToken() {
    var specials = List.of("<|a|>", "<|a", "|>|>", "<<|");
    var guard = new MarkerGuard(specials);
    long seed = 5;
    var random = new Random(seed);
    for (int i = 0; i < 5000; i++) {
      var text = new StringBuilder();
      for (int n = random.nextInt(30); n > 0; n--) text.append("<|a>".charAt(random.nextInt(4)));
      var cut = guard.cut(text.toString(), CUT);
      assertThat(cut.replace(String.valueOf(CUT), "")).isEqualTo(text.toString());
      assertThat(Arrays.asList(cut.split(String.valueOf(CUT))))
          .as("seed %d, %d: %s", seed, i, text)
          .noneMatch(piece -> specials.stream().anyMatch(piece::contains));
    }
  }

  @Test
  void theCutIsACharacterThatTheTextDoesNotHold() {
    assertThat(MarkerGuard.cutFor("a")).isEqualTo('\uFDD0');
    assertThat(MarkerGuard.cutFor("a\uFDD0\uFDD1")).isEqualTo('\uFDD2');
  }
}

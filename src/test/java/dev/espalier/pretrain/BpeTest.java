package dev.espalier.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTest {
  private static final List<String> TEXTS =
      List.of(
          "<|user|> I need a bus from Los Angeles to San Diego on 2019-03-01.<|end|>",
          "<|assistant|><|call|> FindBus\n from_location: Los Angeles\n to: San Diego<|end|>",
          "<|user|> Is there a bus from San Diego to Los Angeles? It's for 3 travelers.<|end|>");

  @TempDir Path dir;

  private Tokenizer trained(int size) {
    Bpe.train(TEXTS.stream(), size, BuiltinChat.SPECIALS)
        .write(dir, BuiltinChat.tokenizerConfig(2048));
    return Tokenizer.load(dir);
  }

  @Test
  void aWordHasTheSameTokensInTheUsersTurnAndInTheCall() {
    try (var tokenizer = trained(330)) {
      int[] value = tokenizer.encode(" Los Angeles");
      assertThat(value).hasSize(2);
      for (var text :
          List.of(
              "<|user|> to Los Angeles.<|end|>",
              "\n from_location: Los Angeles\n",
              ": Los Angeles<|end|>",
              "\n Los Angeles")) {
        assertThat(runs(tokenizer.encode(text), value)).as(text).isTrue();
      }
    }
  }

  private static boolean runs(int[] ids, int[] value) {
    return Collections.indexOfSubList(
            Arrays.stream(ids).boxed().toList(), Arrays.stream(value).boxed().toList())
        >= 0;
  }

  @Test
  void punctuationAndDigitsDoNotGlue() {
    try (var tokenizer = trained(330)) {
      assertThat(pieces(tokenizer, " from_location")).startsWith(" from", "_");
      assertThat(pieces(tokenizer, " 2019-03"))
          .containsExactly(" ", "2", "0", "1", "9", "-", "0", "3");
      assertThat(pieces(tokenizer, ".\n bus")).containsExactly(".", "\n", " bus");
    }
  }

  private static List<String> pieces(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text)).mapToObj(tokenizer::decode).toList();
  }

  @Test
  void specialTokensComeFirstAndAreNeverLearnedAsText() {
    var vocabulary = Bpe.train(TEXTS.stream(), 400, BuiltinChat.SPECIALS);
    assertThat(vocabulary.tokens()).startsWith(BuiltinChat.SPECIALS.toArray(String[]::new));
    assertThat(Arrays.stream(vocabulary.tokens()).skip(8)).noneMatch(t -> t.contains("<|"));
    try (var tokenizer = trained(400)) {
      assertThat(tokenizer.encode("<|user|> bus<|end|>")).startsWith(4).endsWith(1);
    }
  }

  @Test
  void everyTextComesBackWhateverItsCharacters() {
    long seed = 7;
    var random = new Random(seed);
    try (var tokenizer = trained(300)) {
      for (int i = 0; i < 500; i++) {
        var text = Texts.random(random, 40);
        assertThat(tokenizer.decode(tokenizer.encode(text)))
            .as("seed %d, %d", seed, i)
            .isEqualTo(text);
      }
    }
  }

  @Test
  void theMergesAreThoseOfThePlainAlgorithm() {
    var words = List.of("low", "low", "low", "lower", "newest", "newest", "widest");
    var tokens = Bpe.train(words.stream(), 256 + 5, List.of()).tokens();
    // counts: lo 4, ow 4, we 3, ... ; then low 4; then es 3, st 3, est 3; ties by id
    assertThat(Arrays.copyOfRange(tokens, 256, 261))
        .containsExactly("lo", "low", "es", "est", "ew");
  }

  @Test
  void theOrderOfTheTextsDoesNotMatter() {
    var texts = Stream.generate(new Random(3)::nextLong).limit(300).map(Long::toHexString).toList();
    var reversed = texts.reversed();
    assertThat(Bpe.train(texts.stream(), 400, List.of()))
        .isEqualTo(Bpe.train(reversed.stream(), 400, List.of()));
  }

  @Test
  void aVocabularyWithoutRoomForTheBytesIsRefused() {
    assertThatThrownBy(() -> Bpe.train(TEXTS.stream(), 200, BuiltinChat.SPECIALS))
        .hasMessageContaining("256 bytes");
  }
}

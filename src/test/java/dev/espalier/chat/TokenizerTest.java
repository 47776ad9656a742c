package dev.espalier.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
  private static final Tokenizer TOKENIZER = Tokenizer.parse(Fixtures.tokenizerJson());

  @AfterAll
  static void close() {
    TOKENIZER.close();
  }

  @Test
  void aLongTextKeepsAllItsTokensWhateverTheFileSaysOfTruncation() {
    var text = "a bus to Los Angeles, ".repeat(1600); // 35 KB
    var json = (tools.jackson.databind.node.ObjectNode) Json.parse(Fixtures.tokenizerJson());
    json.putObject("truncation")
        .put("direction", "Right")
        .put("max_length", 16)
        .put("strategy", "LongestFirst")
        .put("stride", 0);
    try (var tokenizer = Tokenizer.parse(Json.write(json))) {
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }
  }

  @Test
  void specialTokensInTheTextBecomeTokens() {
    assertThat(TOKENIZER.encode("<|user|> hi<|end|>"))
        .startsWith(id("<|user|>"))
        .endsWith(id("<|end|>"));
    assertThat(TOKENIZER.decode(TOKENIZER.encode("<|user|> hi<|end|>")))
        .isEqualTo("<|user|> hi<|end|>");
    assertThat(TOKENIZER.id("<|nobody|>")).isNull();
  }

  private static int id(String token) {
    return java.util.Objects.requireNonNull(TOKENIZER.id(token));
  }

  @Test
  void loneSurrogatesAndZerosDoNoHarm() {
    assertThat(TOKENIZER.decode(TOKENIZER.encode("a\uD800b\uDC00"))).isEqualTo("a\uFFFDb\uFFFD");
    assertThat(TOKENIZER.decode(TOKENIZER.encode("a\0b"))).isEqualTo("a\0b");
    assertThat(TOKENIZER.encode("")).isEmpty();
    assertThat(TOKENIZER.decode()).isEmpty();
  }

  @Test
  void idsOutsideTheVocabularyAreRefused() {
    assertThatThrownBy(() -> TOKENIZER.decode(TOKENIZER.size()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("outside the vocabulary");
    assertThatThrownBy(() -> TOKENIZER.decode(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aStreamAddsUpToTheTextAndNeverSplitsACharacter() {
    long seed = 11;
    var random = new Random(seed);
    for (int i = 0; i < 300; i++) {
      var text = dev.espalier.pretrain.Texts.random(random, 30).replace("\uFFFD", "");
      var stream = TOKENIZER.streaming();
      var out = new StringBuilder();
      for (int id : TOKENIZER.encode(text)) {
        var piece = stream.next(id);
        assertThat(piece).as("seed %d, %d", seed, i).doesNotContain("\uFFFD");
        out.append(piece);
      }
      assertThat(out.append(stream.finish()).toString()).as("seed %d, %d", seed, i).isEqualTo(text);
    }
  }

  @Test
  void aStreamOfRandomTokensAddsUpToo() {
    long seed = 12;
    var random = new Random(seed);
    for (int i = 0; i < 300; i++) {
      int[] ids = random.ints(40, 0, TOKENIZER.size()).toArray();
      var stream = TOKENIZER.streaming();
      var out = new StringBuilder();
      for (int id : ids) out.append(stream.next(id));
      assertThat(out.append(stream.finish()).toString())
          .as("seed %d, %d", seed, i)
          .isEqualTo(TOKENIZER.decode(ids));
    }
  }

  @Test
  void theBytesOfTheTokensAreTheBytesOfTheText() {
    var text = "<|user|> Zürich — 東京 🗼";
    var bytes = new ByteArrayOutputStream();
    for (int id : TOKENIZER.encode(text)) bytes.writeBytes(TOKENIZER.bytes(id));
    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(text);
  }

  @Test
  void manyThreadsGetTheSameIds() {
    int[] expected = TOKENIZER.encode("a bus to Los Angeles");
    assertThat(
            IntStream.range(0, 2000)
                .parallel()
                .allMatch(i ->
                    java.util.Arrays.equals(TOKENIZER.encode("a bus to Los Angeles"), expected)))
        .isTrue();
  }

  @Test
  void brokenFilesAreOneClearError(@TempDir Path dir) throws IOException {
    assertThatThrownBy(() -> Tokenizer.load(dir))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tokenizer.json is missing");
    for (var text :
        List.of(
            "",
            "not json",
            "[]",
            "{\"model\":{}}",
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-4},\"merges\":[]}}",
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"x y\"]}}",
            "{\"model\":{\"type\":\"Nonsense\",\"vocab\":{\"a\":0}}}",
            Fixtures.tokenizerJson().substring(0, 3000))) {
      Files.writeString(dir.resolve("tokenizer.json"), text);
      assertThatThrownBy(() -> Tokenizer.load(dir))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("tokenizer.json");
    }
  }

  @Test
  void aClosedTokenizerSaysSo() {
    var tokenizer = Tokenizer.parse(Fixtures.tokenizerJson());
    tokenizer.close();
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("a")).hasMessageContaining("closed");
  }
}

package dev.espalier.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.chat.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Writes `target/corpus-look.txt`, sixty documents to be read by a person, and the corpus's
/// figures.
@Tag("slow")
class CorpusLookTest {
  private static final int SHOWN = 60;
  private static final int MEASURED = 3000;

  @TempDir Path dir;

  @Test
  void writesDocumentsToLookAtAndMeasuresThem() throws Exception {
    var sgd = Sgd.find();
    assumeTrue(sgd != null, "no SGD data: set ESPALIER_SHARED");
    Bpe.train(
            VocabularyText.of(Objects.requireNonNull(sgd), 1).stream(), 4096, BuiltinChat.SPECIALS)
        .write(dir, BuiltinChat.tokenizerConfig(2048));
    try (var tokenizer = Tokenizer.load(dir)) {
      var corpus = Corpus.open(sgd, tokenizer, 1);
      var out = new StringBuilder();
      long[] parts = new long[5];
      long tokens = 0;
      long start = System.nanoTime();
      for (int i = 0; i < MEASURED; i++) {
        var document = corpus.next();
        tokens += document.ids().length;
        for (byte part : document.part()) parts[part]++;
        if (i < SHOWN) out.append(tokenizer.decode(document.ids())).append("\n=====\n");
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      out.append(
          "%.0f tokens a second, %.0f a document"
              .formatted(tokens / seconds, 1.0 * tokens / MEASURED));
      out.append(", calls %.3f of all".formatted(1.0 * parts[Document.CALL] / tokens));
      Files.writeString(Path.of("target", "corpus-look.txt"), out);
      assertThat(1.0 * parts[Document.CALL] / tokens).isBetween(0.08, 0.2);
    }
  }
}

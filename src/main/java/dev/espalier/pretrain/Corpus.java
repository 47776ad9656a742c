package dev.espalier.pretrain;

import dev.espalier.chat.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The endless stream of training documents.
///
/// Document `i` is a function of the seed and `i` alone, so a killed run goes on by [#seek]. For
/// one thread at a time.
final class Corpus {
  /// The most tokens of a document.
  static final int LONGEST = 2048;

  private final Conversations conversations;
  private final Rendering rendering;
  private long position;

  private Corpus(Conversations conversations, Rendering rendering) {
    this.conversations = conversations;
    this.rendering = rendering;
  }

  /// Opens the corpus at its start.
  ///
  /// @param sgd the folder of the SGD data, null to go without: synthetic documents only
  static Corpus open(@Nullable Path sgd, Tokenizer tokenizer, long seed) {
    return new Corpus(Conversations.open(sgd, tokenizer, seed), new Rendering(tokenizer));
  }

  /// The next document.
  Document next() {
    return rendering.document(conversations.at(position++), LONGEST);
  }

  /// The index of the next document.
  long position() {
    return position;
  }

  /// Goes to the document of that index.
  void seek(long position) {
    if (position < 0) throw new IllegalArgumentException("no document before 0: " + position);
    this.position = position;
  }
}

package dev.espalier.pretrain;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The text that the vocabulary is learned from: a sample of the corpus before it has tokens.
final class VocabularyText {
  private static final int DOCUMENTS = 9000;

  private VocabularyText() {}

  /// @param sgd the folder of the SGD data, null to go without
  static List<String> of(@Nullable Path sgd, long seed) {
    var conversations = Conversations.open(sgd, null, seed);
    var out = new ArrayList<String>();
    for (int i = 0; i < DOCUMENTS; i++) out.add(Rendering.text(conversations.at(i)));
    return out;
  }
}

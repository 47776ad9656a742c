package dev.espalier.chat;

import dev.espalier.pretrain.Bpe;
import dev.espalier.pretrain.BuiltinChat;
import java.util.stream.Stream;

/// A small vocabulary for tests, trained on the spot.
public final class Fixtures {
  private static final String TOKENIZER =
      Json.write(
          Bpe.train(
                  Stream.of(
                      "a bus to Los Angeles, a bus to San Diego and a table in San Diego",
                      " from_location: Los Angeles\n to_location: San Diego\n",
                      "Zürich Zürich 東京 東京"),
                  320,
                  BuiltinChat.SPECIALS)
              .tokenizer());

  private Fixtures() {}

  /// The text of a `tokenizer.json` with the built-in model's special tokens.
  public static String tokenizerJson() {
    return TOKENIZER;
  }
}

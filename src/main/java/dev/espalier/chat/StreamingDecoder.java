package dev.espalier.chat;

import java.util.Arrays;

/// Turns ids into text as they arrive and never hands over half a character.
///
/// Decodes a window of a few tokens, not one, because a token's text may depend on the token before
/// (SentencePiece drops the space of the first). Belongs to one thread.
public final class StreamingDecoder {
  private static final int LONGEST_WAIT = 8; // tokens; a character has four bytes

  private final Tokenizer tokenizer;
  private int[] window = new int[2 * LONGEST_WAIT];
  private int length;
  private int settled; // window[0, settled) is there only as context
  private int emitted; // characters of the window's text that were handed over

  StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /// The text that this id completes; empty while its last character is incomplete.
  public String next(int id) {
    window[length++] = id;
    var text = text();
    int complete = complete(text);
    var fresh = text.substring(Math.min(emitted, complete), complete);
    emitted = Math.max(emitted, complete);
    if (complete == text.length() || length - settled == LONGEST_WAIT) slide();
    return fresh;
  }

  /// What is left when no more ids come: U+FFFD for an incomplete character.
  public String finish() {
    return text().substring(emitted);
  }

  private String text() {
    return tokenizer.decode(Arrays.copyOf(window, length));
  }

  /// Where the text's complete characters end: an incomplete one decodes to one U+FFFD.
  private static int complete(String text) {
    return text.endsWith("\uFFFD") ? text.length() - 1 : text.length();
  }

  /// Forgets the old context; the tokens since become the new one.
  private void slide() {
    length -= settled;
    System.arraycopy(window, settled, window, 0, length);
    settled = length;
    emitted = complete(text());
  }
}

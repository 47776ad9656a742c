package dev.espalier.pretrain;

/// One training document.
///
/// @param ids the tokens, int[T]
/// @param part what each token is, byte[T]: one of the constants below
record Document(int[] ids, byte[] part) {
  /// The block of tools at the start.
  static final byte TOOLS = 0;

  /// System text, tool results, and the markers that open an assistant turn.
  static final byte PROMPT = 1;

  /// What the user says, marker and end included.
  static final byte USER = 2;

  /// What the assistant says, end included.
  static final byte TEXT = 3;

  /// A tool call, marker and end included.
  static final byte CALL = 4;

  Document {
    if (ids.length != part.length) {
      throw new IllegalArgumentException(
          "a document needs a part for each token: %d tokens, %d parts"
              .formatted(ids.length, part.length));
    }
  }
}

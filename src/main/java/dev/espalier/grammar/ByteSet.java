package dev.espalier.grammar;

/// A set of bytes.
///
/// @param a bytes 0 to 63, one bit each
/// @param b bytes 64 to 127
/// @param c bytes 128 to 191
/// @param d bytes 192 to 255
record ByteSet(long a, long b, long c, long d) {
  private static final ByteSet NONE = new ByteSet(0, 0, 0, 0);

  /// The bytes from the first to the last.
  static ByteSet range(int first, int last) {
    var set = NONE;
    for (int value = first; value <= last; value++) set = set.with(value);
    return set;
  }

  /// The bytes of these characters, which are ASCII.
  static ByteSet of(String characters) {
    var set = NONE;
    for (char c : characters.toCharArray()) set = set.with(c);
    return set;
  }

  private ByteSet with(int value) {
    long bit = 1L << (value & 63);
    return switch (value >> 6) {
      case 0 -> new ByteSet(a | bit, b, c, d);
      case 1 -> new ByteSet(a, b | bit, c, d);
      case 2 -> new ByteSet(a, b, c | bit, d);
      default -> new ByteSet(a, b, c, d | bit);
    };
  }

  ByteSet or(ByteSet other) {
    return new ByteSet(a | other.a, b | other.b, c | other.c, d | other.d);
  }

  ByteSet without(ByteSet other) {
    return new ByteSet(a & ~other.a, b & ~other.b, c & ~other.c, d & ~other.d);
  }

  /// @param value 0 to 255
  boolean has(int value) {
    long word =
        switch (value >> 6) {
          case 0 -> a;
          case 1 -> b;
          case 2 -> c;
          default -> d;
        };
    return (word >>> (value & 63) & 1) != 0;
  }
}

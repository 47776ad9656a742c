package dev.espalier.chat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// GPT-2's spelling of bytes as printable characters, in which byte-level vocabularies are written:
/// printable bytes are themselves, the others are shifted to U+0100 and up (a space is `Ġ`).
public final class ByteLevel {
  private static final char[] CHARACTERS = new char[256];
  private static final short[] BYTES = new short[512];

  static {
    java.util.Arrays.fill(BYTES, (short) -1);
    char next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      CHARACTERS[b] = printable ? (char) b : next++;
      BYTES[CHARACTERS[b]] = (short) b;
    }
  }

  private ByteLevel() {}

  /// The character that stands for a byte (0 to 255).
  public static char character(int b) {
    return CHARACTERS[b];
  }

  /// The bytes that a token's spelling stands for; a character that spells no byte is taken as it
  /// is.
  public static byte[] bytes(String token) {
    var out = new ByteArrayOutputStream();
    token
        .codePoints()
        .forEach(c -> {
          if (c < BYTES.length && BYTES[c] >= 0) out.write(BYTES[c]);
          else out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
        });
    return out.toByteArray();
  }
}

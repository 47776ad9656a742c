package dev.espalier.pretrain;

import java.util.Random;

/// Random texts over all of Unicode, weighted towards what breaks tokenizers.
public final class Texts {
  private Texts() {}

  /// At most that many code points; no lone surrogates.
  public static String random(Random random, int length) {
    var out = new StringBuilder();
    for (int i = random.nextInt(length + 1); i > 0; i--) out.appendCodePoint(point(random));
    return out.toString();
  }

  private static int point(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> " \n\t\r'_:{}\"<|>\\".charAt(random.nextInt(14));
      case 1 -> 'a' + random.nextInt(26);
      case 2 -> random.nextInt(0x100);
      case 3 -> 0x1F300 + random.nextInt(0x300);
      case 4 -> 0xE000 + random.nextInt(0x10FFFF - 0xE000);
      default -> random.nextInt(0xD800);
    };
  }
}

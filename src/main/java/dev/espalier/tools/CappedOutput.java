package dev.espalier.tools;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/// Keeps what is written up to a limit, and stops whoever writes more.
final class CappedOutput extends OutputStream {
  /// More was written than may be.
  static final class Exceeded extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String told;

    Exceeded(String told) {
      super(told);
      this.told = told;
    }

    String told() {
      return told;
    }
  }

  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
  private final String what;
  private final int limit;

  CappedOutput(String what, int limit) {
    this.what = what;
    this.limit = limit;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) {
    int room = Math.min(count, limit - kept.size());
    kept.write(bytes, from, room);
    if (room < count) {
      throw new Exceeded("more than %d bytes were %s".formatted(limit, what));
    }
  }

  /// The text so far; a character that the limit cut in two shows as U+FFFD.
  String text() {
    return kept.toString(StandardCharsets.UTF_8);
  }
}

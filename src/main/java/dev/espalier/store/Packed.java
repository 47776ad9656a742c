package dev.espalier.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;

/// Deflated bytes. Server-sent events repeat themselves and shrink to a tenth or less.
final class Packed {
  private Packed() {}

  static byte[] pack(byte[] bytes) {
    var out = new ByteArrayOutputStream(bytes.length / 8 + 64);
    var deflater = new Deflater(Deflater.BEST_SPEED);
    try (var deflated = new DeflaterOutputStream(out, deflater)) {
      deflated.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      deflater.end();
    }
    return out.toByteArray();
  }

  static byte[] unpack(byte[] packed) {
    try (var in = new InflaterInputStream(new ByteArrayInputStream(packed))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new StoreException("a stored stream is damaged: " + e.getMessage(), e);
    }
  }
}

package dev.espalier.model;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// A safetensors file made of whatever a test likes: a header that need not be true to its data.
///
/// @param claimed the header's length as the first eight bytes state it
/// @param header the header as it is written
/// @param data the bytes that follow it
record SafetensorsFile(long claimed, byte[] header, byte[] data) {
  /// A file that states its header's length truthfully.
  static SafetensorsFile of(String header, int dataBytes) {
    var bytes = header.getBytes(StandardCharsets.UTF_8);
    return new SafetensorsFile(bytes.length, bytes, new byte[dataBytes]);
  }

  /// A sound file of one float32 vector `w`.
  static SafetensorsFile vector(float... values) {
    var data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) data.putFloat(value);
    return of("{\"w\":" + entry("F32", "[" + values.length + "]", 0, data.capacity()) + "}", 0)
        .withData(data.array());
  }

  /// One tensor's part of a header.
  static String entry(String dtype, String shape, long begin, long end) {
    return "{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(dtype, shape, begin, end);
  }

  SafetensorsFile claiming(long length) {
    return new SafetensorsFile(length, header, data);
  }

  SafetensorsFile withData(byte[] bytes) {
    return new SafetensorsFile(claimed, header, bytes);
  }

  /// The whole file.
  byte[] bytes() {
    var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(claimed);
    var out = new ByteArrayOutputStream();
    out.writeBytes(length.array());
    out.writeBytes(header);
    out.writeBytes(data);
    return out.toByteArray();
  }

  /// Writes it into a folder.
  Path in(Path folder) {
    return write(folder, bytes());
  }

  /// Writes only its first bytes, as an interrupted download leaves them.
  Path cutAt(int length, Path folder) {
    return write(folder, java.util.Arrays.copyOf(bytes(), length));
  }

  private static Path write(Path folder, byte[] bytes) {
    try {
      return Files.write(folder.resolve("model.safetensors"), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

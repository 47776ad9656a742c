package dev.espalier.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.regex.Pattern;

/// The bytes of one HTTP/1.1 message with a `content-length`, as they come.
final class HttpMessage {
  private static final byte[] END_OF_HEAD = "\r\n\r\n".getBytes(US_ASCII);
  private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: *(\\d+)");

  private final ByteBuffer bytes = ByteBuffer.allocate(64 << 10);
  private int head = -1; // where the body begins
  private int end; // where it ends

  /// Takes what has come; whether that is all.
  ///
  /// @throws IOException where the other side has closed
  boolean read(SocketChannel channel) throws IOException {
    if (channel.read(bytes) < 0) throw new EOFException("closed by the other side");
    if (head < 0) head = headLength();
    return head >= 0 && bytes.position() >= end;
  }

  void clear() {
    bytes.clear();
    head = -1;
  }

  private int headLength() throws IOException {
    for (int i = 0; i + END_OF_HEAD.length <= bytes.position(); i++) {
      if (!Arrays.equals(bytes.array(), i, i + 4, END_OF_HEAD, 0, 4)) continue;
      var length = LENGTH.matcher(new String(bytes.array(), 0, i, ISO_8859_1));
      if (!length.find()) throw new IOException("a message without a content-length");
      end = i + 4 + Integer.parseInt(length.group(1));
      return i + 4;
    }
    return -1;
  }

  /// Whether it is a response with status 200 and this body.
  boolean answers(byte[] body) {
    return new String(bytes.array(), 0, head, ISO_8859_1).startsWith("HTTP/1.1 200")
        && Arrays.equals(bytes.array(), head, end, body, 0, body.length);
  }

  @Override
  public String toString() {
    return new String(bytes.array(), 0, bytes.position(), ISO_8859_1);
  }

  /// Writes a message at once.
  ///
  /// @throws IOException if the socket has no room for it
  static void write(SocketChannel channel, byte[] message) throws IOException {
    if (channel.write(ByteBuffer.wrap(message)) < message.length) {
      throw new IOException(
          "the socket did not take a message of %d bytes".formatted(message.length));
    }
  }
}

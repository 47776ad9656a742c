package dev.espalier.gateway;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// Reads request bodies up to a limit.
final class RequestBody {
  private static final int CHUNK = 16 << 10;

  /// How much of a refused body is read and thrown away: a client that is still sending when its
  /// connection closes never sees the answer.
  private static final long MAX_DRAINED = 256L << 20;

  private RequestBody() {}

  /// @throws ApiError with status 413 if it is longer
  static byte[] read(ServerRequest request, int limit) {
    var length = request.headers().contentLength();
    // The client waits for a word before it sends.
    if (length.orElse(0) > limit && request.headers().contains(HeaderNames.EXPECT)) {
      throw tooLarge(limit);
    }
    int expected = Math.clamp(length.orElse(CHUNK), 1, limit);
    var body = new ByteArrayOutputStream(expected);
    try {
      if (!request.content().hasEntity()) return body.toByteArray();
      var in = request.content().inputStream();
      if (length.orElse(0) <= limit && copy(in, body, limit, Math.min(expected, CHUNK))) {
        return body.toByteArray();
      }
      drain(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw tooLarge(limit);
  }

  private static boolean copy(InputStream in, ByteArrayOutputStream body, int limit, int chunk)
      throws IOException {
    var buffer = new byte[chunk];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      if (body.size() + n > limit) return false;
      body.write(buffer, 0, n);
    }
    return true;
  }

  private static void drain(InputStream in) throws IOException {
    var buffer = new byte[CHUNK];
    long drained = 0;
    for (int n = in.read(buffer); n >= 0 && drained < MAX_DRAINED; n = in.read(buffer)) {
      drained += n;
    }
  }

  private static ApiError tooLarge(int limit) {
    return new ApiError(
        413,
        "The request's body is longer than %d bytes, the limit here".formatted(limit),
        null,
        "request_too_large");
  }
}

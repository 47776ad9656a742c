package dev.espalier.gateway;

import io.helidon.http.ClientResponseHeaders;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.encoding.ContentEncodingContext;
import io.helidon.webclient.http1.Http1Client;
import io.helidon.webclient.http1.Http1ClientRequest;
import io.helidon.webclient.http1.Http1ClientResponse;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The connections to upstreams. A client that leaves while one is silent ends the call.
final class UpstreamCall implements AutoCloseable {
  private static final int CHUNK = 16 << 10;

  /// What belongs to one connection, to us, or is set by the client that sends.
  private static final Set<String> NOT_FORWARDED =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authorization",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade",
          "host",
          "content-length",
          "expect",
          "accept-encoding");

  private static final HeaderName API_KEY = HeaderNames.create("x-api-key");

  private final Keys keys;
  private final Egress egress;
  private final Vigil vigil = new Vigil();
  private final Http1Client client =
      Http1Client.builder()
          .followRedirects(false)
          .connectTimeout(Duration.ofSeconds(10))
          .sendExpectContinue(false)
          .contentEncoding(
              ContentEncodingContext.builder().contentEncodingsDiscoverServices(false).build())
          .build();

  UpstreamCall(Keys keys, Egress egress) {
    this.keys = keys;
    this.egress = egress;
  }

  /// A response whose first bytes have come.
  final class Response implements AutoCloseable {
    private final ServerRequest client;
    private final Http1ClientResponse http;
    private final InputStream body;
    private final byte @Nullable [] first;
    private long left; // of the body, as far as is known

    /// @throws IOException if the upstream broke off
    private Response(ServerRequest client, Http1ClientResponse http) throws IOException {
      this.client = client;
      this.http = http;
      body = http.inputStream();
      left = http.headers().contentLength().orElse(Long.MAX_VALUE - 1);
      first = read();
    }

    int status() {
      return http.status().code();
    }

    ClientResponseHeaders headers() {
      return http.headers();
    }

    /// The first bytes of the body; null if it is empty.
    byte @Nullable [] first() {
      return first;
    }

    /// The next bytes; null at the end.
    ///
    /// @throws IOException if the upstream broke off
    /// @throws ClientGone if the client left before they came
    byte @Nullable [] next() throws IOException {
      return vigil.during(client, this::read);
    }

    private byte @Nullable [] read() throws IOException {
      // one byte more than there are: only the end sets the connection free
      var buffer = new byte[(int) Math.min(left + 1, CHUNK)];
      try {
        int length = body.read(buffer);
        if (length < 0) return null;
        left -= length;
        return length == buffer.length ? buffer : Arrays.copyOf(buffer, length);
      } catch (RuntimeException e) {
        // Helidon's reader throws various ones where the connection ends or is not HTTP any more.
        throw new IOException("the response broke off", e);
      }
    }

    @Override
    public void close() {
      http.close();
    }
  }

  /// Sends a request and waits for the first bytes of the response's body.
  ///
  /// @throws ApiError if there were none
  /// @throws ClientGone if the client left before they came
  Response send(Upstream upstream, String path, Exchange exchange, byte[] body) {
    var query = exchange.http().query();
    var uri = upstream.endpoint(path, query.isEmpty() ? null : query.rawValue());
    egress.check(uri);
    var request = request(client.post(), uri, upstream, exchange);
    try {
      return vigil.during(exchange.http(), () -> begun(request, exchange.http(), body));
    } catch (ClientGone e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw unavailable(upstream, e);
    }
  }

  private Response begun(Http1ClientRequest request, ServerRequest client, byte[] body)
      throws IOException {
    var response = request.submit(body);
    try {
      return new Response(client, response);
    } catch (IOException | RuntimeException e) {
      response.close();
      throw e;
    }
  }

  /// Asks for something small and returns it whole, with the client's or the configured key.
  byte[] get(Upstream upstream, String path, Exchange exchange, Duration timeout) {
    var uri = upstream.endpoint(path, null);
    egress.check(uri);
    var request = request(client.get(), uri, upstream, exchange).readTimeout(timeout);
    try (var response = request.request()) {
      if (response.status().code() != 200) throw new IOException("status " + response.status());
      return response.inputStream().readAllBytes();
    } catch (IOException | RuntimeException e) {
      throw unavailable(upstream, e);
    }
  }

  private Http1ClientRequest request(
      Http1ClientRequest request, URI uri, Upstream upstream, Exchange exchange) {
    request.uri(uri).readTimeout(upstream.timeout());
    boolean ownKey = upstream.key() != null || keys.issued(exchange.http());
    for (var header : exchange.http().headers()) {
      if (forwarded(header) && !(ownKey && isCredential(header))) request.header(header);
    }
    // An encoded response could be neither reassembled nor redacted.
    request.header(HeaderNames.ACCEPT_ENCODING, "identity");
    if (upstream.key() != null) {
      switch (exchange.api()) {
        case OPENAI -> request.header(HeaderNames.AUTHORIZATION, "Bearer " + upstream.key());
        case ANTHROPIC -> request.header(API_KEY, upstream.key());
      }
    }
    return request;
  }

  private static boolean isCredential(Header header) {
    var name = header.name().toLowerCase(Locale.ROOT);
    return name.equals("authorization") || name.equals("x-api-key");
  }

  /// Whether a header of a request or of a response is passed on.
  static boolean forwarded(Header header) {
    var name = header.name().toLowerCase(Locale.ROOT);
    return !NOT_FORWARDED.contains(name) && !name.startsWith("x-espalier-");
  }

  @Override
  public void close() {
    vigil.close();
  }

  private static ApiError unavailable(Upstream upstream, Exception e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SocketTimeoutException) {
        var message =
            "upstream \"%s\" did not answer within %d s"
                .formatted(upstream.name(), upstream.timeout().toSeconds());
        return new ApiError(504, message, null, "upstream_timeout");
      }
      if (cause instanceof ApiError ours) return ours;
    }
    var message =
        "upstream \"%s\" at %s gave no answer: %s"
            .formatted(upstream.name(), upstream.base(), e.getMessage());
    return new ApiError(502, message, null, "upstream_unavailable");
  }
}

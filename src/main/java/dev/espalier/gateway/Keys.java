package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.Sha256;
import dev.espalier.store.ApiKey;
import dev.espalier.store.Store;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The keys that we issue. They are random, so a plain hash is enough to keep them by.
final class Keys {
  private static final String PREFIX = "esp-";
  private static final int RANDOM_BYTES = 24;
  private static final HeaderName X_API_KEY = HeaderNames.create("x-api-key");
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Store store;
  private final Map<String, ApiKey> byHash = new ConcurrentHashMap<>();

  Keys(Store store) {
    this.store = store;
    for (var key : store.keys()) byHash.put(key.hash(), key);
  }

  /// A key and the only look at its text that there ever is.
  record Issued(ApiKey key, String text) {}

  Issued issue(String name) {
    var random = new byte[RANDOM_BYTES];
    RANDOM.nextBytes(random);
    var text = PREFIX + HexFormat.of().formatHex(random);
    var key = new ApiKey(RequestId.next(), name, hash(text), Instant.now());
    store.put(key);
    byHash.put(key.hash(), key);
    return new Issued(key, text);
  }

  List<ApiKey> all() {
    return store.keys();
  }

  boolean revoke(String id) {
    byHash.values().removeIf(key -> key.id().equals(id));
    return store.deleteKey(id);
  }

  /// Whether the request carries a key that we issued.
  boolean issued(ServerRequest request) {
    var key = credential(request);
    return key != null && key.startsWith(PREFIX) && byHash.containsKey(hash(key));
  }

  /// The key that a request carries: a bearer token or `x-api-key`.
  static @Nullable String credential(ServerRequest request) {
    var bearer = request.headers().first(HeaderNames.AUTHORIZATION).orElse("");
    if (bearer.regionMatches(true, 0, "Bearer ", 0, 7)) return bearer.substring(7).strip();
    return request.headers().first(X_API_KEY).orElse(null);
  }

  static boolean same(String expected, @Nullable String given) {
    return given != null && MessageDigest.isEqual(expected.getBytes(UTF_8), given.getBytes(UTF_8));
  }

  static String hash(String text) {
    return new Sha256().add(text).hex();
  }
}

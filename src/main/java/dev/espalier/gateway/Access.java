package dev.espalier.gateway;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Who may call what.
///
/// @param requireKey whether the model endpoints ask for a key that we issued
/// @param adminKey what `/api` asks for; null opens it to this machine only
record Access(Keys keys, boolean requireKey, @Nullable String adminKey) {
  private static final Set<String> LOCAL_NAMES = Set.of("localhost", "127.0.0.1", "[::1]", "::1");

  /// @throws ApiError with status 401 if a client's key is missing or unknown
  void checkClient(ServerRequest request) {
    if (!requireKey || keys.issued(request)) return;
    throw new ApiError(
        401,
        "A key of this gateway is needed: POST /api/keys issues one, Authorization: Bearer sends it",
        null,
        "invalid_api_key");
  }

  /// @throws ApiError with status 401 or 403 if the caller may not administer
  void checkAdmin(ServerRequest request) {
    if (adminKey != null) {
      if (Keys.same(adminKey, Keys.credential(request))) return;
      throw new ApiError(401, "The admin key is needed here", null, "invalid_api_key");
    }
    if (isLocal(request)) return;
    throw new ApiError(
        403,
        "/api answers only this machine as long as no admin key is configured",
        null,
        "admin_only_local");
  }

  /// Comes from this machine, and not from a web page that its browser happens to show: such a
  /// request names the page's site as its origin, or, after DNS rebinding, as its host.
  static boolean isLocal(ServerRequest request) {
    boolean loopback =
        request.remotePeer().address() instanceof InetSocketAddress peer
            && peer.getAddress().isLoopbackAddress();
    var host = request.headers().first(HeaderNames.HOST).orElse("");
    var origin = request.headers().first(HeaderNames.ORIGIN).orElse(null);
    return loopback && isLocalUrl("http://" + host) && (origin == null || isLocalUrl(origin));
  }

  private static boolean isLocalUrl(String url) {
    try {
      var host = URI.create(url).getHost();
      return host != null && LOCAL_NAMES.contains(host);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}

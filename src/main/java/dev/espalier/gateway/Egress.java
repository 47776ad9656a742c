package dev.espalier.gateway;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Set;
import java.util.stream.Collectors;

/// Which hosts this process may connect to.
///
/// @param restricted false allows all
/// @param hosts those that are allowed beyond loopback
record Egress(boolean restricted, Set<String> hosts) {
  static Egress of(GatewayConfig config) {
    var hosts = config.upstreams().stream().map(upstream -> upstream.base().getHost());
    return new Egress(config.noEgress(), hosts.collect(Collectors.toUnmodifiableSet()));
  }

  /// @throws ApiError if connecting there is not allowed
  void check(URI uri) {
    if (allows(uri.getHost())) return;
    throw new ApiError(
        502,
        "connecting to %s is refused by --no-egress: name it as an upstream"
            .formatted(uri.getHost()),
        null,
        "no_egress");
  }

  boolean allows(String host) {
    return !restricted || hosts.contains(host) || isLoopback(host);
  }

  private static boolean isLoopback(String host) {
    if (host.equals("localhost")) return true;
    // Only literal addresses: a look-up would itself be a connection.
    if (!host.matches("[0-9.]+|\\[?[0-9a-fA-F:]+\\]?")) return false;
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }
}

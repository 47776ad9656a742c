package dev.espalier.gateway;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Where agents find the policy.
///
/// @param port 0 picks a free one
/// @param key what agents give as their API key; null asks for none, on this machine only
public record EpisodeServerConfig(String host, int port, @Nullable String key) {
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "::1");

  public EpisodeServerConfig {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("a port is between 0 and 65535, not " + port);
    }
    if (key == null && !LOOPBACK.contains(host)) {
      throw new IllegalArgumentException(
          "agents on other machines need a key: without one, listen on 127.0.0.1, not " + host);
    }
  }

  /// This machine only, without a key.
  public static EpisodeServerConfig local(int port) {
    return new EpisodeServerConfig("127.0.0.1", port, null);
  }
}

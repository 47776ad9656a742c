package dev.espalier.chat;

import java.net.URI;

/// Addresses of services.
public final class HttpAddress {
  private HttpAddress() {}

  /// Refuses what cannot be called, such as `localhost:8000`, whose scheme would be `localhost`.
  ///
  /// @param of whose address it is to be, with an article
  /// @throws IllegalArgumentException if it has another scheme than http or https, or no host
  public static void check(URI address, String of) {
    var scheme = address.getScheme();
    if (address.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
      throw new IllegalArgumentException(
          "\"%s\" is not the address of %s: it begins with http:// or https:// and names a host"
              .formatted(address, of));
    }
  }
}

package dev.espalier.gateway;

import dev.espalier.store.Price;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How a gateway behaves.
///
/// @param upstreams in order: the first that answers a model's name gets its requests
/// @param redact what is blotted out of everything before it is stored
/// @param adminKey asked for by `/api`; null opens `/api` to this machine only
/// @param requireKey whether clients need a key that we issued
/// @param noEgress whether connections beyond loopback and the upstreams are refused
/// @param maxBody the longest request body, in bytes
/// @param maxConcurrent requests beyond this many at once are refused with 503
/// @param patience how long a response's last byte waits for its record to be safe
/// @param keepFor captured requests older than this are deleted; null keeps them
/// @param keepBytes the oldest captured requests beyond this size are deleted; null keeps them
public record GatewayConfig(
    String host,
    int port,
    List<Upstream> upstreams,
    List<Price> prices,
    List<Pattern> redact,
    @Nullable String adminKey,
    boolean requireKey,
    boolean noEgress,
    int maxBody,
    int maxConcurrent,
    Duration patience,
    @Nullable Duration keepFor,
    @Nullable Long keepBytes) {
  private static final int MAX_BODY = 32 << 20;
  private static final int MAX_CONCURRENT = 2048;
  private static final Duration PATIENCE = Duration.ofMillis(250);

  public GatewayConfig {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("a port is between 0 and 65535, not " + port);
    }
    if (maxBody < 1) throw new IllegalArgumentException("max_body_bytes must be positive");
    if (maxConcurrent < 1) throw new IllegalArgumentException("max_concurrent must be positive");
    if (keepFor != null && !keepFor.isPositive()) {
      throw new IllegalArgumentException("retention by age must be a positive number of days");
    }
    if (keepBytes != null && keepBytes < 1) {
      throw new IllegalArgumentException("retention by size must be a positive number of bytes");
    }
    upstreams = List.copyOf(upstreams);
    long names = upstreams.stream().map(Upstream::name).distinct().count();
    if (names < upstreams.size()) {
      throw new IllegalArgumentException("two upstreams have the same name");
    }
    prices = List.copyOf(prices);
    redact = List.copyOf(redact);
  }

  /// The defaults: this machine only, no limits on what is kept.
  public static GatewayConfig of(int port, Upstream... upstreams) {
    return new GatewayConfig(
        "127.0.0.1",
        port,
        List.of(upstreams),
        List.of(),
        List.of(),
        null,
        false,
        false,
        MAX_BODY,
        MAX_CONCURRENT,
        PATIENCE,
        null,
        null);
  }

  /// The same on another address.
  public GatewayConfig listeningOn(String newHost, int newPort) {
    return new GatewayConfig(
        newHost,
        newPort,
        upstreams,
        prices,
        redact,
        adminKey,
        requireKey,
        noEgress,
        maxBody,
        maxConcurrent,
        patience,
        keepFor,
        keepBytes);
  }

  /// The same with or without the demand for keys and the restriction of connections.
  public GatewayConfig restricted(boolean keys, boolean egress) {
    return new GatewayConfig(
        host,
        port,
        upstreams,
        prices,
        redact,
        adminKey,
        keys,
        egress,
        maxBody,
        maxConcurrent,
        patience,
        keepFor,
        keepBytes);
  }

  /// The keys that must not be stored or shown.
  List<String> secrets() {
    var secrets = new ArrayList<String>();
    for (var upstream : upstreams) if (upstream.key() != null) secrets.add(upstream.key());
    if (adminKey != null) secrets.add(adminKey);
    return secrets;
  }
}

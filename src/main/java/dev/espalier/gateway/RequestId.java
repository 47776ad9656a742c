package dev.espalier.gateway;

import java.security.SecureRandom;
import java.util.UUID;

/// Ids of captured requests: UUIDs of version 7 (RFC 9562), which sort by time and cannot be
/// guessed.
final class RequestId {
  private static final SecureRandom RANDOM = new SecureRandom();

  private RequestId() {}

  static String next() {
    long high = (System.currentTimeMillis() << 16) | 0x7000 | RANDOM.nextInt(0x1000);
    long low = (RANDOM.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
    return new UUID(high, low).toString();
  }
}

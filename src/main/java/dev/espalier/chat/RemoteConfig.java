package dev.espalier.chat;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Where a remote model is and how patient to be with it.
///
/// @param base the address that `/chat/completions` is under, such as `https://api.openai.com/v1`
/// @param key sent as a bearer token; null sends none
/// @param model put in place of the request's model; null leaves what the request says
/// @param connectTimeout how long a connection may take
/// @param readTimeout how long the model may be silent
/// @param retries how often to try again after 429, 5xx or a refused connection
/// @param backoff the wait before the first of these, doubled for each that follows
public record RemoteConfig(
    URI base,
    @Nullable String key,
    @Nullable String model,
    Duration connectTimeout,
    Duration readTimeout,
    int retries,
    Duration backoff) {

  public RemoteConfig {
    HttpAddress.check(base, "a model");
    if (retries < 0) throw new IllegalArgumentException("retries must not be negative: " + retries);
  }

  /// Ten seconds to connect, two minutes of silence, three retries from half a second.
  public static RemoteConfig of(URI base, @Nullable String key, @Nullable String model) {
    return new RemoteConfig(
        base, key, model, Duration.ofSeconds(10), Duration.ofMinutes(2), 3, Duration.ofMillis(500));
  }

  /// Does not show the key.
  @Override
  public String toString() {
    return "RemoteConfig[%s, %s]".formatted(base, model);
  }
}

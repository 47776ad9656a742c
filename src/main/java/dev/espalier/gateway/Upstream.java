package dev.espalier.gateway;

import dev.espalier.chat.HttpAddress;
import dev.espalier.store.Api;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A provider that requests are forwarded to.
///
/// @param base with or without a path; without one, `/v1` is meant
/// @param apis the wire formats that it speaks
/// @param key sent instead of the client's; null forwards the client's
/// @param models the names that it answers, `*` standing for any text
/// @param timeout the longest wait for the next bytes of a response
public record Upstream(
    String name,
    URI base,
    Set<Api> apis,
    @Nullable String key,
    List<String> models,
    Duration timeout) {
  /// What a provider gets that the configuration says nothing about.
  public static final Duration TIMEOUT = Duration.ofMinutes(10);

  public Upstream {
    HttpAddress.check(base, "an upstream");
    if (apis.isEmpty())
      throw new IllegalArgumentException("upstream %s speaks no API".formatted(name));
    if (!timeout.isPositive()) throw new IllegalArgumentException("a time-out must be positive");
    apis = Set.copyOf(apis);
    models = List.copyOf(models);
  }

  /// An upstream that answers every model, in either format, with the client's key.
  public static Upstream of(String name, URI base) {
    return new Upstream(name, base, Set.of(Api.values()), null, List.of("*"), TIMEOUT);
  }

  /// The address of an endpoint, `/chat/completions` for one.
  URI endpoint(String path, @Nullable String query) {
    var text = base.toString().replaceAll("/+$", "");
    var root = base.getPath() == null || base.getPath().isEmpty() || base.getPath().equals("/");
    return URI.create(text + (root ? "/v1" : "") + path + (query == null ? "" : "?" + query));
  }

  boolean answers(String model) {
    return models.stream().anyMatch(pattern -> matches(pattern, model));
  }

  private static boolean matches(String pattern, String model) {
    int star = pattern.indexOf('*');
    if (star < 0) return pattern.equals(model);
    var head = pattern.substring(0, star);
    var tail = pattern.substring(star + 1);
    return model.length() >= head.length() + tail.length()
        && model.startsWith(head)
        && model.endsWith(tail);
  }

  /// Never shows the key.
  @Override
  public String toString() {
    return "Upstream[%s, %s]".formatted(name, base);
  }
}

package dev.espalier.gateway;

import dev.espalier.store.Api;
import dev.espalier.store.Price;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The gateway's configuration as a JSON file.
///
/// ```json
/// {"upstreams": [{"name": "openai", "url": "https://api.openai.com/v1", "kind": "openai",
///                 "key_env": "OPENAI_API_KEY", "models": ["gpt-*"], "timeout_seconds": 600}],
///  "prices": {"gpt-4o": {"input": 2.5, "output": 10, "cached_input": 1.25}},
///  "redact": ["\\b\\d{16}\\b"], "retention": {"days": 30, "megabytes": 5000}}
/// ```
public final class ConfigFile {
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE);

  private final Map<String, String> environment;
  private final Path file;

  private ConfigFile(Map<String, String> environment, Path file) {
    this.environment = environment;
    this.file = file;
  }

  /// Reads a file; what it does not set is as in `defaults`.
  ///
  /// @param environment where the keys named by `key_env` are
  /// @throws IllegalArgumentException that says what is wrong with it
  public static GatewayConfig read(
      Path file, Map<String, String> environment, GatewayConfig defaults) {
    try {
      var fields = Fields.parse(Files.readAllBytes(file), file.toString());
      return new ConfigFile(environment, file).read(fields, defaults);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read the configuration " + file, e);
    }
  }

  private GatewayConfig read(Fields fields, GatewayConfig defaults) {
    var retention = retention(fields.get("retention"));
    var adminKey = key(fields, "admin_key_env", "admin_key_file");
    var host = fields.text("host");
    var config =
        new GatewayConfig(
            host == null ? defaults.host() : host,
            fields.integer("port", defaults.port()),
            upstreams(fields.get("upstreams"), defaults.upstreams()),
            prices(fields.get("prices")),
            patterns(fields.texts("redact")),
            adminKey == null ? defaults.adminKey() : adminKey,
            fields.flag("require_key", defaults.requireKey()),
            fields.flag("no_egress", defaults.noEgress()),
            fields.integer("max_body_bytes", defaults.maxBody()),
            fields.integer("max_concurrent", defaults.maxConcurrent()),
            defaults.patience(),
            retention.age(),
            retention.bytes());
    fields.noMore();
    return config;
  }

  private List<Upstream> upstreams(@Nullable JsonNode list, List<Upstream> defaults) {
    var upstreams = new ArrayList<Upstream>();
    if (list != null) for (var one : list) upstreams.add(upstream(Fields.of(one, "an upstream")));
    upstreams.addAll(defaults);
    return upstreams;
  }

  private Upstream upstream(Fields fields) {
    var models = fields.texts("models");
    var upstream =
        new Upstream(
            fields.needText("name"),
            URI.create(fields.needText("url")),
            kind(fields.text("kind")),
            key(fields, "key_env", "key_file"),
            models.isEmpty() ? List.of("*") : models,
            seconds(fields.number("timeout_seconds", (double) Upstream.TIMEOUT.toSeconds())));
    fields.noMore();
    return upstream;
  }

  private static Set<Api> kind(@Nullable String kind) {
    if (kind == null) return Set.of(Api.values());
    for (var api : Api.values()) if (api.wire().equals(kind)) return Set.of(api);
    throw new IllegalArgumentException(
        "an upstream's \"kind\" is openai or anthropic, or is left out for both, not " + kind);
  }

  private static Duration seconds(double seconds) {
    return Duration.ofMillis(Math.round(seconds * 1000));
  }

  private @Nullable String key(Fields fields, String variable, String pathField) {
    var name = fields.text(variable);
    var path = fields.text(pathField);
    if (name != null) {
      var key = environment.get(name);
      if (key == null || key.isBlank()) {
        throw new IllegalArgumentException("set %s, which holds a key, first".formatted(name));
      }
      return key.strip();
    }
    return path == null ? null : secret(file.resolveSibling(path));
  }

  private static String secret(Path file) {
    try {
      var view = Files.getFileStore(file);
      if (view.supportsFileAttributeView("posix")) {
        var open = EnumSet.copyOf(OTHERS);
        open.retainAll(Files.getPosixFilePermissions(file));
        if (!open.isEmpty()) {
          throw new IllegalArgumentException(
              "others can read the key in %s: chmod 600 it".formatted(file));
        }
      }
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read the key file " + file, e);
    }
  }

  private static List<Price> prices(@Nullable JsonNode json) {
    var prices = new ArrayList<Price>();
    if (json == null) return prices;
    for (var entry : json.properties()) {
      var fields = Fields.of(entry.getValue(), "the price of " + entry.getKey());
      prices.add(AdminApi.price(entry.getKey(), fields));
    }
    return prices;
  }

  private static List<Pattern> patterns(List<String> texts) {
    var patterns = new ArrayList<Pattern>();
    for (var text : texts) {
      try {
        patterns.add(Pattern.compile(text));
      } catch (PatternSyntaxException e) {
        throw new IllegalArgumentException("redact: " + e.getMessage(), e);
      }
    }
    return patterns;
  }

  private record Kept(@Nullable Duration age, @Nullable Long bytes) {}

  private static Kept retention(@Nullable JsonNode json) {
    if (json == null) return new Kept(null, null);
    var fields = Fields.of(json, "retention");
    var days = fields.number("days");
    var megabytes = fields.number("megabytes");
    fields.noMore();
    return new Kept(
        days == null ? null : Duration.ofSeconds(Math.round(days * 86_400)),
        megabytes == null ? null : Math.round(megabytes * 1e6));
  }
}

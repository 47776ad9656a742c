package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.gateway.ConfigFile;
import dev.espalier.gateway.Gateway;
import dev.espalier.gateway.GatewayConfig;
import dev.espalier.gateway.LocalModels;
import dev.espalier.gateway.Upstream;
import dev.espalier.store.Api;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import dev.espalier.tensor.Device;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `espalier up`: runs the gateway until it is stopped.
@Command(
    name = "up",
    description = "Runs the gateway: point your SDK's base URL at http://HOST:PORT/v1.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
  private static final String CONFIG = "espalier.json";
  private static final Logger HTTP_LOG = Logger.getLogger("io.helidon");

  @Option(names = "--upstream", description = "Base URL of the provider; /v1 if it has no path.")
  private @Nullable URI upstream;

  @Option(
      names = "--key-env",
      description = "Environment variable with the provider's key; default: the client's key.")
  private @Nullable String keyVariable;

  @Option(names = "--port", description = "Default: 7700; 0 picks a free one.")
  private @Nullable Integer port;

  @Option(names = "--host", description = "Address to listen on; default: 127.0.0.1.")
  private @Nullable String host;

  @Option(names = "--data", defaultValue = "espalier-data", description = "The data folder.")
  private Path data = Path.of("");

  @Option(names = "--config", description = "Default: espalier.json in the data folder, if there.")
  private @Nullable Path config;

  @Option(names = "--durability", defaultValue = "process", description = "process or power.")
  private String durability = "";

  @Option(names = "--require-key", description = "Clients need a key from POST /api/keys.")
  private boolean requireKey;

  @Option(names = "--no-egress", description = "Refuses connections beyond the upstreams.")
  private boolean noEgress;

  @Option(names = "--model", description = "Base model's folder (default: the built-in model).")
  private @Nullable Path model;

  @Mixin private final DtypeOption dtype = new DtypeOption();

  @Option(
      names = "--adapter-memory",
      description = "MiB of adapters kept loaded (default: ${DEFAULT-VALUE}).")
  private int adapterMemory = 1024;

  @Option(names = "--pin", description = "An adapter that is loaded at once and stays loaded.")
  private List<String> pinned = List.of();

  @Option(names = "--json", description = "One JSON object a line on stdout.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    HTTP_LOG.setLevel(Level.WARNING);
    var settings = settings();
    if (Files.isDirectory(folder())) Device.cpu().prepare();
    var store = Store.open(data, parseDurability());
    var serving = serving(store);
    if (settings.upstreams().isEmpty() && serving == null) {
      throw new IllegalArgumentException(
          "nothing to serve: name a provider with --upstream URL, or a model with --model DIR");
    }
    var gateway = Gateway.start(settings, store, serving == null ? LocalModels.none() : serving);
    closeAtExit(gateway, store);
    announce("http://%s:%d".formatted(settings.host(), gateway.port()));
    Thread.currentThread().join();
    return 0;
  }

  /// The local models; null where there is no model, which only costs something when a route needs
  /// one.
  private @Nullable Serving serving(Store store) {
    if (adapterMemory < 0) throw new IllegalArgumentException("--adapter-memory is negative");
    if (model == null && !Files.isDirectory(folder())) return null;
    var serving =
        new Serving(dtype.load(folder()), store, (long) adapterMemory << 20, Set.copyOf(pinned));
    pinned.forEach(serving::load);
    return serving;
  }

  private Path folder() {
    return model == null ? BuiltInModel.folder() : model;
  }

  /// The file's settings with the command line's put over them. `--upstream` answers the models
  /// that none of the file's upstreams does.
  private GatewayConfig settings() {
    var upstreams = upstream == null ? List.<Upstream>of() : List.of(commandLineUpstream(upstream));
    var defaults = GatewayConfig.of(7700, upstreams.toArray(Upstream[]::new));
    var file = config == null ? data.resolve(CONFIG) : config;
    var settings =
        config != null || Files.exists(file)
            ? ConfigFile.read(file, System.getenv(), defaults)
            : defaults;
    return settings
        .listeningOn(host == null ? settings.host() : host, port == null ? settings.port() : port)
        .restricted(settings.requireKey() || requireKey, settings.noEgress() || noEgress);
  }

  private Upstream commandLineUpstream(URI url) {
    if (keyVariable == null) return Upstream.of("default", url);
    var key = System.getenv(keyVariable);
    if (key == null || key.isBlank()) {
      throw new IllegalArgumentException("set %s, which holds a key, first".formatted(keyVariable));
    }
    return new Upstream(
        "default", url, Set.of(Api.values()), key.strip(), List.of("*"), Upstream.TIMEOUT);
  }

  private Durability parseDurability() {
    return switch (durability.toLowerCase(Locale.ROOT)) {
      case "process" -> Durability.PROCESS;
      case "power" -> Durability.POWER;
      default ->
          throw new IllegalArgumentException("--durability is process or power, not " + durability);
    };
  }

  private static void closeAtExit(Gateway gateway, Store store) {
    var close =
        Thread.ofPlatform()
            .unstarted(() -> {
              gateway.close();
              store.close();
            });
    Runtime.getRuntime().addShutdownHook(close);
  }

  private void announce(String url) {
    if (json) {
      System.out.println(Json.object().put("event", "listening").put("url", url));
      return;
    }
    System.out.printf(
        "Espalier listens on %s: use %s/v1 as your OpenAI SDK's base URL, %s/anthropic as"
            + " Anthropic's.%n",
        url, url, url);
  }
}

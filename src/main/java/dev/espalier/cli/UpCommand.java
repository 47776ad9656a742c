package dev.espalier.cli;

import dev.espalier.gateway.Gateway;
import dev.espalier.gateway.GatewayConfig;
import dev.espalier.gateway.LocalModels;
import dev.espalier.gateway.Upstream;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `espalier up`.
@Command(name = "up", description = "Runs the gateway.")
final class UpCommand implements Callable<Integer> {
  @Option(names = "--upstream")
  private URI upstream = URI.create("http://localhost");

  @Option(names = "--port", defaultValue = "7700")
  private int port;

  @Option(names = "--data", defaultValue = "espalier-data")
  private Path data = Path.of("");

  @Override
  public Integer call() throws InterruptedException {
    var config = GatewayConfig.of(port, Upstream.of("default", upstream));
    try (var store = Store.open(data, Durability.PROCESS);
        var gateway = Gateway.start(config, store, LocalModels.none())) {
      System.out.println("listening on http://127.0.0.1:" + gateway.port());
      Thread.currentThread().join();
    }
    return 0;
  }
}

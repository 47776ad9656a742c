package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.gateway.Gateway;
import dev.espalier.gateway.GatewayConfig;
import dev.espalier.gateway.LocalModels;
import dev.espalier.gateway.Upstream;
import dev.espalier.store.Price;
import dev.espalier.store.Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import tools.jackson.databind.node.ObjectNode;

/// The gateway of the demo and the calls that somebody who runs one makes.
final class DemoGateway implements AutoCloseable {
  private final Gateway gateway;
  private final HttpClient http = HttpClient.newHttpClient();

  /// Starts on a free port, with the teacher as the only upstream.
  DemoGateway(URI teacher, Store store, LocalModels local) {
    gateway = Gateway.start(GatewayConfig.of(0, Upstream.of("teacher", teacher)), store, local);
  }

  /// What the application has as its base URL.
  URI base() {
    return address("/v1");
  }

  private URI address(String path) {
    return URI.create("http://127.0.0.1:" + gateway.port() + path);
  }

  void price(Price price) {
    var json = Json.object().put("input", price.input()).put("output", price.output());
    put("/api/prices/" + price.model(), json.put("cached_input", price.cachedInput()));
  }

  /// Whoever asks for this model is answered by this adapter from now on.
  void route(String model, String adapter) {
    var route = Json.object();
    route.putObject("target").put("adapter", adapter);
    put("/api/routes/" + model, route);
  }

  private void put(String path, ObjectNode body) {
    var request =
        HttpRequest.newBuilder(address(path)).PUT(BodyPublishers.ofString(body.toString())).build();
    try {
      var response = http.send(request, BodyHandlers.ofString());
      if (response.statusCode() == 200) return;
      throw new IllegalStateException(
          "PUT %s answered %d: %s".formatted(path, response.statusCode(), response.body()));
    } catch (IOException e) {
      throw new UncheckedIOException("the gateway is gone", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the demo was interrupted", e);
    }
  }

  @Override
  public void close() {
    http.close();
    gateway.close();
  }
}

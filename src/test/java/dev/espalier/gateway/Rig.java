package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.store.CaptureFilter;
import dev.espalier.store.CapturedRequest;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;

/// A gateway with its store, and a client that shows the bytes.
final class Rig implements AutoCloseable {
  final Store store;
  final Gateway gateway;
  final HttpClient http = HttpClient.newHttpClient();

  Rig(Path dir, GatewayConfig config, LocalModels local) {
    this(dir, config, local, Durability.PROCESS);
  }

  private Rig(Path dir, GatewayConfig config, LocalModels local, Durability durability) {
    store = Store.open(dir, durability);
    gateway = Gateway.start(config, store, local);
  }

  /// A gateway in front of one upstream, with the defaults.
  static Rig before(ScriptedUpstream upstream, Path dir) {
    return before(upstream, dir, Durability.PROCESS);
  }

  static Rig before(ScriptedUpstream upstream, Path dir, Durability durability) {
    var config = GatewayConfig.of(0, Upstream.of("main", upstream.base()));
    return new Rig(dir, config, LocalModels.none(), durability);
  }

  String url(String path) {
    return "http://127.0.0.1:" + gateway.port() + path;
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(url(path))).header("content-type", "application/json");
  }

  HttpResponse<byte[]> send(HttpRequest request) throws IOException, InterruptedException {
    return http.send(request, BodyHandlers.ofByteArray());
  }

  HttpResponse<byte[]> post(String path, String body, String... headers)
      throws IOException, InterruptedException {
    var request = request(path).POST(HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) request.headers(headers);
    return send(request.build());
  }

  HttpResponse<byte[]> put(String path, String body) throws IOException, InterruptedException {
    return send(request(path).PUT(HttpRequest.BodyPublishers.ofString(body)).build());
  }

  String get(String path) throws IOException, InterruptedException {
    return new String(send(request(path).GET().build()).body(), UTF_8);
  }

  HttpResponse<byte[]> delete(String path) throws IOException, InterruptedException {
    return send(request(path).DELETE().build());
  }

  List<CapturedRequest> captured() {
    return store.captured(CaptureFilter.all()).toList();
  }

  static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), UTF_8);
  }

  @Override
  public void close() {
    http.shutdownNow();
    gateway.close();
    store.close();
  }
}

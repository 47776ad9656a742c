package dev.espalier.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.Json;
import dev.espalier.gateway.Gateway;
import dev.espalier.gateway.GatewayConfig;
import dev.espalier.gateway.LocalModels;
import dev.espalier.gateway.Upstream;
import dev.espalier.model.WholeFolder;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Requests through the gateway, which stores every one of them, and straight to an upstream that
/// answers at once, in turns; client, gateway and upstream share this machine.
final class GatewayBench {
  private static final int RATE = 2000;
  private static final Duration LENGTH = Duration.ofSeconds(4);
  private static final Duration WARM_UP = Duration.ofSeconds(30); // Java compiles meanwhile
  private static final int CONNECTIONS = 64;
  private static final String BIFROST =
      "Go's checksum database does not know the modules of maximhq/bifrost (404 for transports"
          + " v1.6.0), so Go refuses to build them";
  private static final String REQUEST =
      """
      {"model": "large", "messages": [{"role": "system", "content": "You are the assistant of a harbour office. %s"},
        {"role": "user", "content": "Hold berth F52 for Halyard Spindrift from 1 June, 28 nights."}]}
      """
          .formatted("Answer in one short sentence. ".repeat(30));
  private static final byte[] RESPONSE =
      """
      {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "large",
       "choices": [{"index": 0, "message": {"role": "assistant", "content": "Booked under PA-7930."}, "finish_reason": "stop"}],
       "usage": {"prompt_tokens": 300, "completion_tokens": 8, "total_tokens": 308}}
      """
          .getBytes(UTF_8);

  private GatewayBench() {}

  static ObjectNode run(int runs, Peers peers) {
    try (var upstream = new InstantUpstream(RESPONSE)) {
      return measure(upstream.port(), runs, peers);
    }
  }

  private static ObjectNode measure(int upstream, int runs, Peers peers) {
    var median = new double[runs];
    var last = new double[runs];
    var rate = new double[runs];
    var share = new double[runs];
    var folder = folder();
    try (var store = Store.open(folder, Durability.PROCESS);
        var gateway =
            Gateway.start(
                GatewayConfig.of(0, Upstream.of("default", url(upstream))),
                store,
                LocalModels.none());
        var straight = new Load(upstream, CONNECTIONS, REQUEST, RESPONSE);
        var captured = new Load(gateway.port(), CONNECTIONS, REQUEST, RESPONSE)) {
      straight.closed(LENGTH);
      captured.closed(WARM_UP);
      for (int i = 0; i < runs; i++) {
        var direct = straight.paced(RATE, LENGTH);
        var through = captured.paced(RATE, LENGTH);
        double directRate = straight.closed(LENGTH);
        double throughRate = captured.closed(LENGTH);
        median[i] = Machine.percentile(through, 0.5) - Machine.percentile(direct, 0.5);
        last[i] = Machine.percentile(through, 0.99) - Machine.percentile(direct, 0.99);
        rate[i] = throughRate;
        share[i] = throughRate / directRate;
      }
      long kept = store.count(CaptureFilter.answered());
      if (kept != captured.answered()) {
        throw new IllegalStateException(
            "%d of %d were captured".formatted(kept, captured.answered()));
      }
    }
    delete(folder);
    var json =
        Json.object()
            .put("added_p50_ms", Machine.median(median))
            .put("added_p99_ms", Machine.median(last))
            .put("at_requests_per_second", RATE)
            .put("rate", Machine.median(rate))
            .put("rate_vs_direct", Machine.median(share));
    for (var peer : List.of("vs_portkey", "vs_litellm")) peers.known(json, peer, "gateway/run");
    Peers.missing(json, "vs_bifrost", BIFROST);
    return json;
  }

  private static URI url(int port) {
    return URI.create("http://127.0.0.1:%d/v1".formatted(port));
  }

  private static Path folder() {
    try {
      return Files.createTempDirectory("espalier-gateway");
    } catch (IOException e) {
      throw new UncheckedIOException("no room for a store", e);
    }
  }

  private static void delete(Path folder) {
    try {
      WholeFolder.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder, e);
    }
  }
}

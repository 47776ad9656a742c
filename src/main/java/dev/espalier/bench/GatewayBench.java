package dev.espalier.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.Json;
import dev.espalier.gateway.Gateway;
import dev.espalier.gateway.GatewayConfig;
import dev.espalier.gateway.LocalModels;
import dev.espalier.gateway.Upstream;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import tools.jackson.databind.node.ObjectNode;

/// Requests through the gateway, which stores every one of them, and straight to an upstream that
/// answers at once, in turns; client, gateway and upstream share this machine.
final class GatewayBench {
  private static final int RATE = 2000;
  private static final Duration LENGTH = Duration.ofSeconds(4);
  private static final int CLIENTS = 64;
  private static final int CONNECTIONS = 128;
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
    var upstream =
        WebServer.builder()
            .host("127.0.0.1")
            .port(0)
            .routing(
                HttpRouting.builder()
                    .post(
                        "/v1/chat/completions",
                        (request, response) -> {
                          request.content().as(byte[].class);
                          response
                              .header(HeaderNames.CONTENT_TYPE, "application/json")
                              .send(RESPONSE);
                        }))
            .build()
            .start();
    try {
      return measure(upstream.port(), runs, peers);
    } finally {
      upstream.stop();
    }
  }

  private static ObjectNode measure(int upstream, int runs, Peers peers) {
    var median = new double[runs];
    var last = new double[runs];
    var rate = new double[runs];
    var kept = new double[runs];
    long sent = 0;
    var folder = folder();
    try (var store = Store.open(folder, Durability.PROCESS);
        var gateway =
            Gateway.start(
                GatewayConfig.of(0, Upstream.of("default", url(upstream))),
                store,
                LocalModels.none());
        var client = HttpClient.newHttpClient()) {
      for (int i = -1; i < runs; i++) {
        var direct = paced(client, url(upstream));
        var through = paced(client, url(gateway.port()));
        double directRate = closed(client, url(upstream));
        double throughRate = closed(client, url(gateway.port()));
        sent += through.length + Math.round(throughRate * LENGTH.toSeconds());
        if (i < 0) continue;
        median[i] = Machine.percentile(through, 0.5) - Machine.percentile(direct, 0.5);
        last[i] = Machine.percentile(through, 0.99) - Machine.percentile(direct, 0.99);
        rate[i] = throughRate;
        kept[i] = throughRate / directRate;
      }
      long captured = store.count(CaptureFilter.answered());
      if (Math.abs(captured - sent) > runs + 1) { // a rate is rounded
        throw new IllegalStateException("%d of %d were captured".formatted(captured, sent));
      }
    }
    delete(folder);
    var json =
        Json.object()
            .put("added_p50_ms", Machine.median(median))
            .put("added_p99_ms", Machine.median(last))
            .put("at_requests_per_second", RATE)
            .put("rate", Machine.median(rate))
            .put("rate_vs_direct", Machine.median(kept));
    for (var peer : List.of("vs_portkey", "vs_litellm")) peers.known(json, peer, "gateway/run");
    Peers.missing(json, "vs_bifrost");
    return json;
  }

  private static URI url(int port) {
    return URI.create("http://127.0.0.1:%d/v1".formatted(port));
  }

  private static void ask(HttpClient client, URI base) {
    var request =
        HttpRequest.newBuilder(URI.create(base + "/chat/completions"))
            .header("content-type", "application/json")
            .header("authorization", "Bearer sk-none")
            .POST(BodyPublishers.ofString(REQUEST))
            .build();
    try {
      var response = client.send(request, BodyHandlers.ofByteArray());
      if (response.statusCode() != 200 || !Arrays.equals(response.body(), RESPONSE)) {
        throw new IllegalStateException("a wrong answer: " + new String(response.body(), UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /// Milliseconds of each request from when it was due, whether or not it could be sent then.
  private static double[] paced(HttpClient client, URI base) {
    int count = (int) (RATE * LENGTH.toSeconds());
    var times = new double[count];
    var connections = new Semaphore(CONNECTIONS);
    long begin = System.nanoTime() + 1_000_000;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < count; i++) {
        int number = i;
        long due = begin + i * 1_000_000_000L / RATE;
        while (System.nanoTime() < due) LockSupport.parkNanos(due - System.nanoTime());
        threads.execute(() -> {
          connections.acquireUninterruptibly();
          try {
            ask(client, base);
          } finally {
            connections.release();
          }
          times[number] = (System.nanoTime() - due) / 1e6;
        });
      }
    }
    for (double time : times) if (time == 0) throw new IllegalStateException("a request failed");
    return times;
  }

  /// Requests a second of clients that ask again as soon as they are answered.
  private static double closed(HttpClient client, URI base) {
    var done = new AtomicLong();
    var failed = new AtomicInteger();
    long end = System.nanoTime() + LENGTH.toNanos();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < CLIENTS; i++) {
        threads.execute(() -> {
          failed.incrementAndGet();
          while (System.nanoTime() < end) {
            ask(client, base);
            done.incrementAndGet();
          }
          failed.decrementAndGet();
        });
      }
    }
    if (failed.get() > 0) throw new IllegalStateException(failed + " clients failed");
    return done.get() / (double) LENGTH.toSeconds();
  }

  private static Path folder() {
    try {
      return Files.createTempDirectory("espalier-gateway");
    } catch (IOException e) {
      throw new UncheckedIOException("no room for a store", e);
    }
  }

  private static void delete(Path folder) {
    try (var files = Files.walk(folder)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder, e);
    }
  }
}

package dev.espalier.gateway;

import dev.espalier.chat.Json;
import dev.espalier.store.CapturedRequest;
import dev.espalier.store.Feedback;
import dev.espalier.store.Outcome;
import dev.espalier.store.Price;
import dev.espalier.store.Store;
import dev.espalier.store.Store.Receipt;
import dev.espalier.store.TokenUsage;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/// Turns exchanges into records and has them stored. Traffic never depends on it: what is late or
/// lost is counted.
final class Recorder {
  private final Store store;
  private final Redaction redaction;
  private final Metrics metrics;
  private final Duration patience;
  private final Map<String, Price> prices = new ConcurrentHashMap<>();

  Recorder(Store store, Redaction redaction, Metrics metrics, Duration patience) {
    this.store = store;
    this.redaction = redaction;
    this.metrics = metrics;
    this.patience = patience;
    prices.putAll(store.prices());
  }

  List<Price> prices() {
    return List.copyOf(prices.values());
  }

  /// Sets a price for the requests to come.
  void put(Price price) {
    store.put(price);
    prices.put(price.model(), price);
  }

  /// Stores what an exchange came to, and waits until it is safe, but not for long.
  void record(Exchange exchange, Answer answer) {
    var latencyMs = exchange.elapsedMs();
    metrics.answered(answer.status(), latencyMs);
    if (answer.outcome() == Outcome.TRUNCATED) metrics.truncated.increment();
    if (answer.outcome() == Outcome.CLIENT_GONE) metrics.clientGone.increment();
    if (answer.cut()) metrics.cut.increment();
    var record = captured(exchange, answer, latencyMs);
    if (record.usage() != null) {
      metrics.tokens(record.usage().promptTokens(), record.usage().completionTokens());
    }
    await(capture(exchange, record, answer));
  }

  /// Stores again what had been stored too early, without waiting.
  void amend(Exchange exchange, Answer answer) {
    var _ = capture(exchange, captured(exchange, answer, exchange.elapsedMs()), answer);
  }

  /// Attaches feedback; false where no request has that id.
  boolean add(Feedback feedback) {
    var label = feedback.label();
    var comment = feedback.comment();
    return store.add(
        new Feedback(
            feedback.requestId(),
            feedback.time(),
            feedback.score(),
            label == null ? null : redaction.text(label),
            comment == null ? null : redaction.text(comment)));
  }

  private Receipt capture(Exchange exchange, CapturedRequest record, Answer answer) {
    var keepRaw = answer.streamed() && !redaction.changesContent();
    var clientKey = Keys.credential(exchange.http());
    var raw = keepRaw ? redaction.apply(answer.raw(), clientKey) : null;
    return store.capture(record, raw);
  }

  private void await(Receipt receipt) {
    var _ =
        receipt
            .committed()
            .whenComplete(
                (done, failure) -> (failure == null ? metrics.captured : metrics.lost).increment());
    if (receipt.safe()) return;
    try {
      receipt.committed().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      metrics.late.increment();
    } catch (ExecutionException e) {
      return; // counted as lost
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private CapturedRequest captured(Exchange exchange, Answer answer, long latencyMs) {
    var body = answer.message() == null ? tree(answer.raw()) : answer.message();
    var usage =
        answer.status() == 200 && body.isObject()
            ? UsageCount.of(exchange.api(), exchange.json(), body)
            : null;
    var response =
        answer.message() == null ? answer.raw() : Json.MAPPER.writeValueAsBytes(answer.message());
    var clientKey = Keys.credential(exchange.http());
    var served = answer.served();
    return new CapturedRequest(
        exchange.id(),
        exchange.time(),
        exchange.api(),
        exchange.model(),
        served.by(),
        served.model(),
        served.fellBack(),
        answer.streamed(),
        redaction.apply(exchange.body(), clientKey),
        redaction.apply(response, clientKey),
        answer.status(),
        answer.outcome(),
        tags(exchange),
        Prompt.version(exchange.api(), exchange.json()),
        conversation(exchange),
        usage,
        answer.firstByteMs(),
        latencyMs,
        cost(served, exchange.model(), usage),
        List.of());
  }

  private Map<String, String> tags(Exchange exchange) {
    var tags = new LinkedHashMap<String, String>();
    try {
      Tags.of(exchange)
          .forEach((name, value) -> tags.put(redaction.text(name), redaction.text(value)));
    } catch (ApiError malformed) {
      return tags; // the client was told
    }
    return tags;
  }

  /// A name that is to be redacted goes for none: what is left of it could be another's too.
  private String conversation(Exchange exchange) {
    var named = exchange.header(Exchange.CONVERSATION);
    if (named != null && !redaction.hits(named)) return named;
    return Prompt.conversation(exchange.api(), exchange.json());
  }

  private @Nullable Double cost(Served served, String model, @Nullable TokenUsage usage) {
    var price = prices.get(served.model());
    if (price == null) price = prices.get(model);
    return price == null || usage == null ? null : price.of(usage);
  }

  private static JsonNode tree(byte[] body) {
    try {
      return Json.MAPPER.readTree(body);
    } catch (JacksonException notJson) {
      return MissingNode.getInstance();
    }
  }
}

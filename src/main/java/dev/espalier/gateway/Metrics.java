package dev.espalier.gateway;

import dev.espalier.gateway.LocalModels.Figure;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;

/// Counters since the start, as Prometheus text.
final class Metrics {
  /// Upper bounds in milliseconds.
  private static final long[] BOUNDS = {
    10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000
  };

  private final Map<Integer, LongAdder> byStatus = new ConcurrentSkipListMap<>();
  private final LongAdder[] buckets = new LongAdder[BOUNDS.length + 1];
  private final LongAdder latencyMs = new LongAdder();
  private final LongAdder promptTokens = new LongAdder();
  private final LongAdder completionTokens = new LongAdder();
  final LongAdder captured = new LongAdder();
  final LongAdder late = new LongAdder();
  final LongAdder lost = new LongAdder();
  final LongAdder cut = new LongAdder();
  final LongAdder truncated = new LongAdder();
  final LongAdder clientGone = new LongAdder();
  final LongAdder fellBack = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder deleted = new LongAdder();

  Metrics() {
    Arrays.setAll(buckets, i -> new LongAdder());
  }

  void answered(int status, long millis) {
    byStatus.computeIfAbsent(status, s -> new LongAdder()).increment();
    int bucket = 0;
    while (bucket < BOUNDS.length && millis > BOUNDS[bucket]) bucket++;
    buckets[bucket].increment();
    latencyMs.add(millis);
  }

  void tokens(int prompt, int completion) {
    promptTokens.add(prompt);
    completionTokens.add(completion);
  }

  /// The exposition format, version 0.0.4.
  ///
  /// @param local what the local models add
  String text(long queuedBytes, List<Figure> local) {
    var out = new StringBuilder();
    type(out, "espalier_requests_total", "counter", "Requests by status of the response.");
    byStatus.forEach(
        (status, count) -> line(out, "espalier_requests_total{status=\"" + status + "\"}", count));
    counter(out, "espalier_captured_total", "Captured requests that were committed.", captured);
    counter(out, "espalier_late_total", "Responses released before their record was.", late);
    counter(out, "espalier_lost_total", "Records that could not be stored.", lost);
    counter(out, "espalier_cut_total", "Responses too long to be stored whole.", cut);
    counter(out, "espalier_truncated_total", "Responses that an upstream broke off.", truncated);
    counter(out, "espalier_client_gone_total", "Clients that left before the end.", clientGone);
    counter(out, "espalier_fallback_total", "Requests that a fallback answered.", fellBack);
    counter(out, "espalier_refused_total", "Requests refused because of too many.", refused);
    counter(out, "espalier_deleted_total", "Records deleted by retention.", deleted);
    type(out, "espalier_tokens_total", "counter", "Tokens by kind.");
    line(out, "espalier_tokens_total{kind=\"prompt\"}", promptTokens);
    line(out, "espalier_tokens_total{kind=\"completion\"}", completionTokens);
    type(out, "espalier_store_queue_bytes", "gauge", "Bytes of records that wait to be stored.");
    out.append("espalier_store_queue_bytes ").append(queuedBytes).append('\n');
    for (var figure : local) {
      var kind = figure.name().endsWith("_total") ? "counter" : "gauge";
      type(out, figure.name(), kind, figure.says());
      out.append("%s %d\n".formatted(figure.name(), figure.value()));
    }
    histogram(out);
    return out.toString();
  }

  private void histogram(StringBuilder out) {
    var name = "espalier_request_duration_seconds";
    type(out, name, "histogram", "From a request's arrival to its response's last byte.");
    long below = 0;
    for (int i = 0; i < buckets.length; i++) {
      below += buckets[i].sum();
      var bound = i < BOUNDS.length ? String.valueOf(BOUNDS[i] / 1e3) : "+Inf";
      out.append("%s_bucket{le=\"%s\"} %d\n".formatted(name, bound, below));
    }
    out.append("%s_sum %s\n".formatted(name, latencyMs.sum() / 1e3));
    out.append("%s_count %d\n".formatted(name, below));
  }

  private static void counter(StringBuilder out, String name, String says, LongAdder count) {
    type(out, name, "counter", says);
    line(out, name, count);
  }

  private static void type(StringBuilder out, String name, String type, String says) {
    out.append("# HELP %s %s\n# TYPE %s %s\n".formatted(name, says, name, type));
  }

  private static void line(StringBuilder out, String name, LongAdder count) {
    out.append(name).append(' ').append(count.sum()).append('\n');
  }
}

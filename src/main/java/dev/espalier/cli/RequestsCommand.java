package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.store.CaptureFilter;
import dev.espalier.store.CapturedRequest;
import dev.espalier.store.Feedback;
import dev.espalier.store.Store;
import dev.espalier.store.TokenUsage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// `espalier requests`: lists captured requests, oldest first.
@Command(
    name = "requests",
    description = "Lists captured requests.",
    mixinStandardHelpOptions = true)
final class RequestsCommand implements Callable<Integer> {
  @Option(names = "--data", defaultValue = "espalier-data", description = "The data folder.")
  private Path data = Path.of("");

  @Option(names = "--json", description = "Everything, one JSON object a line.")
  private boolean json;

  @Option(names = "--model", description = "Only this model's.")
  private @Nullable String model;

  @Option(names = "--tag", description = "Only with this tag, NAME=VALUE; may be repeated.")
  private Map<String, String> tags = Map.of();

  @Option(names = "--since", description = "Only from this time on, 2026-01-15T12:00:00Z.")
  private @Nullable Instant since;

  @Option(names = "--until", description = "Only before this time.")
  private @Nullable Instant until;

  @Option(names = "--status", description = "Only with this HTTP status.")
  private @Nullable Integer status;

  @Option(names = "--prompt-version", description = "Only with this hash of the static part.")
  private @Nullable String promptVersion;

  @Option(names = "--label", description = "Only with feedback of this label.")
  private @Nullable String label;

  @Option(names = "--min-score", description = "Only with feedback that scores at least this.")
  private @Nullable Double minScore;

  @Option(names = "--limit", description = "The newest so many; oldest first.")
  private long limit = Long.MAX_VALUE;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    try (var store = Store.openExisting(data)) {
      store.captured(filter()).forEach(request -> out.println(json ? json(request) : row(request)));
    }
    out.flush();
    return 0;
  }

  private CaptureFilter filter() {
    var filter = CaptureFilter.all().limit(limit);
    if (model != null) filter = filter.model(model);
    for (var tag : tags.entrySet()) filter = filter.tag(tag.getKey(), tag.getValue());
    if (since != null) filter = filter.since(since);
    if (until != null) filter = filter.until(until);
    if (status != null) filter = filter.status(status);
    if (promptVersion != null) filter = filter.promptVersion(promptVersion);
    if (label != null) filter = filter.label(label);
    if (minScore != null) filter = filter.minScore(minScore);
    return filter;
  }

  private static String row(CapturedRequest request) {
    var usage = request.usage();
    return "%s  %s  %3d  %-9s  %6d ms  %6s tokens  %s -> %s"
        .formatted(
            request.id(),
            request.time(),
            request.status(),
            request.outcome().wire(),
            request.latencyMs(),
            usage == null ? "-" : usage.totalTokens(),
            request.model(),
            request.servedBy());
  }

  private static ObjectNode json(CapturedRequest request) {
    var json =
        Json.object()
            .put("id", request.id())
            .put("time", request.time().toString())
            .put("api", request.api().wire())
            .put("model", request.model());
    json.set("request", body(request.requestJson(), request.request()));
    json.set("response", body(request.responseJson(), request.response()));
    json.put("status", request.status())
        .put("outcome", request.outcome().wire())
        .put("streamed", request.streamed())
        .put("served_by", request.servedBy())
        .put("served_model", request.servedModel())
        .put("fell_back", request.fellBack());
    json.set("usage", usage(request.usage()));
    json.put("latency_ms", request.latencyMs())
        .put("first_byte_ms", request.firstByteMs())
        .put("cost", request.cost())
        .put("prompt_version", request.promptVersion())
        .put("conversation_id", request.conversationId());
    request.tags().forEach(json.putObject("tags")::put);
    var feedback = json.putArray("feedback");
    for (var one : request.feedback()) feedback.add(json(one));
    return json;
  }

  /// JSON as it is, anything else as a string.
  private static JsonNode body(JsonNode tree, byte[] bytes) {
    if (!tree.isMissingNode()) return tree;
    return StringNode.valueOf(new String(bytes, StandardCharsets.UTF_8));
  }

  private static @Nullable ObjectNode usage(@Nullable TokenUsage usage) {
    if (usage == null) return null;
    return Json.object()
        .put("prompt_tokens", usage.promptTokens())
        .put("completion_tokens", usage.completionTokens())
        .put("total_tokens", usage.totalTokens())
        .put("cached_tokens", usage.cachedTokens())
        .put("estimated", usage.estimated());
  }

  private static ObjectNode json(Feedback feedback) {
    return Json.object()
        .put("time", feedback.time().toString())
        .put("score", feedback.score())
        .put("label", feedback.label())
        .put("comment", feedback.comment());
  }
}

package dev.espalier.bench;

import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.grammar.Grammar;
import dev.espalier.grammar.Grammars;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import tools.jackson.databind.node.ObjectNode;

/// What a token costs that a JSON schema limits: to find out which may come next, and to go on.
///
/// Random texts of each schema are followed from a grammar that was just compiled, so the first
/// time that a state is met counts as well. Size `m` has 151,936 tokens: those of the built-in
/// model, and pairs of them.
final class ConstrainedBench {
  private static final int TEXTS = 100;
  private static final int FREE = 60; // tokens drawn at random before a text hastens to its end
  private static final int MOST = 2000;
  private static final List<String> SCHEMAS =
      List.of(
          """
          {"type": "object", "required": ["name", "age", "email"], "additionalProperties": false,
           "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
             "email": {"type": ["string", "null"], "maxLength": 80}}}
          """,
          """
          {"type": "object", "required": ["label", "confidence"], "properties": {
             "label": {"enum": ["refund", "delivery", "account", "other"]}, "confidence": {"type": "number", "minimum": 0, "maximum": 1}}}
          """,
          """
          {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "minItems": 1, "items": {
             "type": "object", "required": ["sku", "quantity"], "properties": {"sku": {"type": "string"},
               "quantity": {"type": "integer"}, "note": {"type": "string"}, "due": {"type": "string", "format": "date"}}}}}}
          """,
          """
          {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "required": ["text"], "properties": {
             "text": {"type": "string"}, "replies": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}}
          """,
          "{\"type\": \"object\"}");

  private ConstrainedBench() {}

  static ObjectNode run(Subject subject, int runs) {
    if (subject.size().equals("s")) return run(subject.base().format(), runs);
    try {
      var folder = Files.createTempDirectory("espalier-vocabulary");
      widen(subject.base().folder(), folder, subject.base().shape().vocabulary());
      try (var format = ChatFormat.load(folder)) {
        return run(format, runs);
      } finally {
        for (var file : List.of("tokenizer.json", "tokenizer_config.json")) {
          Files.delete(folder.resolve(file));
        }
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no room for a vocabulary", e);
    }
  }

  /// A vocabulary of that size: the same tokens and, where that is not enough, pairs of them.
  private static void widen(Path from, Path to, int size) throws IOException {
    Files.copy(from.resolve("tokenizer_config.json"), to.resolve("tokenizer_config.json"));
    var json = (ObjectNode) Json.parse(Files.readString(from.resolve("tokenizer.json")));
    var vocabulary = (ObjectNode) json.get("model").get("vocab");
    var words = vocabulary.properties().stream().map(it -> it.getKey()).toList();
    int next = words.size() + json.path("added_tokens").size();
    var random = new Random(1);
    while (next < size) {
      var pair = words.get(random.nextInt(words.size())) + words.get(random.nextInt(words.size()));
      if (!vocabulary.has(pair)) vocabulary.put(pair, next++);
    }
    Files.writeString(to.resolve("tokenizer.json"), Json.write(json));
  }

  private static ObjectNode run(ChatFormat format, int runs) {
    var median = new double[runs];
    var last = new double[runs];
    var warm = new double[runs];
    for (int i = -1; i < runs; i++) {
      var times = new ArrayList<Double>();
      var again = new ArrayList<Double>();
      for (var schema : SCHEMAS) {
        var grammar = grammar(format, schema);
        for (int text = 0; text < TEXTS; text++) {
          follow(grammar, format, new Random(text), text < TEXTS / 2 ? times : again);
        }
      }
      if (i < 0) continue;
      warm[i] = Machine.percentile(again, 0.99);
      times.addAll(again);
      median[i] = Machine.percentile(times, 0.5);
      last[i] = Machine.percentile(times, 0.99);
    }
    return Json.object()
        .put("vocabulary", format.tokenizer().size())
        .put("mask_us_p50", Machine.median(median))
        .put("mask_us_p99", Machine.median(last))
        .put("second_half_us_p99", Machine.median(warm));
  }

  private static Grammar grammar(ChatFormat format, String schema) {
    var request = Json.object();
    request.putArray("messages").addObject().put("role", "user");
    var wanted = request.putObject("response_format").put("type", "json_schema");
    wanted.putObject("json_schema").set("schema", Json.parse(schema));
    return Objects.requireNonNull(new Grammars(format).of(new ChatRequest(request)));
  }

  /// Draws a text, and notes the microseconds of each token.
  private static void follow(
      Grammar grammar, ChatFormat format, Random random, List<Double> times) {
    var matcher = grammar.matcher();
    int stop = format.stops().iterator().next();
    for (int i = 0; i < MOST; i++) {
      long begin = System.nanoTime();
      var allowed = matcher.allowed();
      long found = System.nanoTime() - begin;
      int next = next(allowed, format, i < FREE, random);
      if (next == stop) return;
      begin = System.nanoTime();
      matcher.accept(next);
      times.add((found + System.nanoTime() - begin) / 1e3);
    }
  }

  private static int next(long[] allowed, ChatFormat format, boolean free, Random random) {
    int stop = format.stops().iterator().next();
    if (has(allowed, stop)) return stop;
    if (!free) {
      for (var end : List.of("\"", "}", "]", "0")) {
        var id = format.tokenizer().id(end);
        if (id != null && has(allowed, id)) return id;
      }
    }
    int count = Arrays.stream(allowed).mapToInt(Long::bitCount).sum();
    int left = random.nextInt(count);
    for (int i = 0; ; i++) {
      int here = Long.bitCount(allowed[i]);
      if (left >= here) {
        left -= here;
        continue;
      }
      long word = allowed[i];
      for (; left > 0; left--) word &= word - 1;
      return 64 * i + Long.numberOfTrailingZeros(word);
    }
  }

  private static boolean has(long[] allowed, int token) {
    return (allowed[token >> 6] >>> token & 1) != 0;
  }
}

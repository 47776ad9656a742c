package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.chat.Json;
import dev.espalier.store.CapturedRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Replays recorded dialogues turn by turn: every assistant turn is a request with the messages
/// before it, answered with the recorded turn. Nothing is lost, nothing altered, and what the store
/// reassembles is what was recorded.
///
/// `./espalier test -Dtiers=slow -DskippedTiers=none -Dtest=SgdReplayTest`
@Tag("slow")
class SgdReplayTest {
  private static final int DIALOGUES = 500;
  private static final int AT_ONCE = 16;
  private static final int PIECE = 12;

  /// One assistant turn: what is asked and what was recorded.
  private record Turn(String number, boolean streamed, ObjectNode request, JsonNode recorded) {}

  @TempDir private Path dir;

  @Test
  void losesNothingAndAltersNothing() throws Exception {
    var turns = turns(folder());
    var byNumber = turns.stream().collect(Collectors.toMap(Turn::number, Function.identity()));
    // what the upstream sent: noted after the last byte, so a client may be there first
    var sent =
        turns.stream()
            .collect(Collectors.toMap(Turn::number, it -> new CompletableFuture<byte[]>()));
    ScriptedUpstream.Script script =
        (request, wire) -> {
          var turn = Objects.requireNonNull(byNumber.get(request.headers().get("x-turn")));
          assertThat(request.text()).isEqualTo(turn.request().toString());
          var bytes = turn.streamed() ? stream(turn, wire) : plain(turn, wire);
          Objects.requireNonNull(sent.get(turn.number())).complete(bytes);
        };
    var ids = new ConcurrentHashMap<String, String>();
    try (var upstream = new ScriptedUpstream(script);
        var rig = Rig.before(upstream, dir);
        var clients = Executors.newFixedThreadPool(AT_ONCE)) {
      long start = System.nanoTime();
      var all = new ArrayList<Callable<Boolean>>();
      for (var turn : turns) {
        all.add(() -> {
          var response =
              rig.post("/v1/chat/completions", turn.request().toString(), "x-turn", turn.number());
          var bytes = Objects.requireNonNull(sent.get(turn.number())).get(30, TimeUnit.SECONDS);
          assertThat(response.body()).isEqualTo(bytes);
          var id = response.headers().firstValue("x-espalier-request-id").orElseThrow();
          ids.put(turn.number(), id);
          return true;
        });
      }
      for (var done : clients.invokeAll(all)) assertThat(done.get()).isTrue();
      System.out.printf(
          "%d requests of %d dialogues in %.1f s%n",
          turns.size(), DIALOGUES, (System.nanoTime() - start) / 1e9);
      var stored =
          rig.captured().stream()
              .collect(Collectors.toMap(CapturedRequest::id, Function.identity()));
      assertThat(stored).hasSize(turns.size());
      for (var turn : turns) check(rig, turn, ids, stored, sent);
    }
  }

  private static void check(
      Rig rig,
      Turn turn,
      Map<String, String> ids,
      Map<String, CapturedRequest> stored,
      Map<String, CompletableFuture<byte[]>> sent) {
    var record = Objects.requireNonNull(stored.get(ids.get(turn.number())));
    assertThat(record.request()).isEqualTo(turn.request().toString().getBytes(UTF_8));
    var bytes = record.streamed() ? rig.store.rawStream(record.id()) : record.response();
    assertThat(bytes).isEqualTo(Objects.requireNonNull(sent.get(turn.number())).join());
    var message = record.responseJson().at("/choices/0/message");
    assertThat(message.path("role")).isEqualTo(turn.recorded().path("role"));
    assertThat(message.path("content").asString(""))
        .isEqualTo(turn.recorded().path("content").asString(""));
    assertThat(message.path("tool_calls")).isEqualTo(turn.recorded().path("tool_calls"));
  }

  private static byte[] plain(Turn turn, ScriptedUpstream.Wire wire) throws IOException {
    var json = Json.parse(Wires.RESPONSE);
    ((ObjectNode) json.at("/choices/0")).set("message", turn.recorded());
    var body = json.toString().getBytes(UTF_8);
    wire.plain(200, "application/json", body);
    return body;
  }

  /// The turn in small pieces, tool calls' arguments split too.
  private static byte[] stream(Turn turn, ScriptedUpstream.Wire wire) throws IOException {
    var events = new ArrayList<String>();
    events.add(Wires.chunk("{\"role\":\"assistant\",\"content\":null}", "null"));
    for (var piece : pieces(turn.recorded().path("content").asString(""))) {
      events.add(Wires.chunk(Json.object().put("content", piece).toString(), "null"));
    }
    int index = 0;
    for (var call : turn.recorded().path("tool_calls")) {
      var start = (ObjectNode) call.deepCopy();
      ((ObjectNode) start.path("function")).put("arguments", "");
      events.add(delta(start.put("index", index)));
      for (var piece : pieces(call.at("/function/arguments").asString(""))) {
        var more = Json.object().put("index", index);
        more.putObject("function").put("arguments", piece);
        events.add(delta(more));
      }
      index++;
    }
    events.add(Wires.chunk("{}", index == 0 ? "\"stop\"" : "\"tool_calls\""));
    events.add("[DONE]");
    var text =
        events.stream().map(event -> "data: " + event + "\n\n").collect(Collectors.joining());
    var bytes = text.getBytes(UTF_8);
    wire.startStream();
    for (int from = 0; from < bytes.length; from += 300) {
      wire.chunk(Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + 300)));
    }
    wire.endStream();
    return bytes;
  }

  private static String delta(ObjectNode call) {
    var delta = Json.object();
    delta.putArray("tool_calls").add(call);
    return Wires.chunk(delta.toString(), "null");
  }

  private static List<String> pieces(String text) {
    var pieces = new ArrayList<String>();
    for (int i = 0; i < text.length(); i += PIECE) {
      pieces.add(text.substring(i, Math.min(text.length(), i + PIECE)));
    }
    return pieces;
  }

  private static Path folder() {
    var shared = System.getenv().getOrDefault("ESPALIER_SHARED", "../shared");
    var folder = Path.of(shared, "data", "sgd");
    assumeTrue(Files.exists(folder), () -> folder + " is not here: set ESPALIER_SHARED");
    return folder;
  }

  private static List<Turn> turns(Path folder) throws IOException {
    var services = Json.parse(Files.readString(folder.resolve("services_dev.json")));
    var turns = new ArrayList<Turn>();
    var file = Files.newInputStream(folder.resolve("dev.jsonl.gz"));
    try (var lines = new BufferedReader(new InputStreamReader(new GZIPInputStream(file), UTF_8))) {
      for (int d = 0; d < DIALOGUES; d++) {
        addTurns(d, Json.parse(Objects.requireNonNull(lines.readLine())), services, turns);
      }
    }
    return turns;
  }

  private static void addTurns(int d, JsonNode dialogue, JsonNode services, List<Turn> turns) {
    var tools = Json.array();
    for (var service : dialogue.path("services")) {
      for (var tool : services.path(service.asString()).path("tools")) tools.add(tool);
    }
    var before = Json.array();
    for (var message : dialogue.path("messages")) {
      if (message.path("role").asString().equals("assistant") && !before.isEmpty()) {
        boolean streamed = turns.size() % 2 == 0;
        var request = Json.object().put("model", "sgd");
        if (streamed) request.put("stream", true);
        request.set("messages", before.deepCopy());
        request.set("tools", tools);
        turns.add(new Turn(d + "/" + before.size(), streamed, request, message));
      }
      before.add(message);
    }
  }
}

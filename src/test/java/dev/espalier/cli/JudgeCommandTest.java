package dev.espalier.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.TokenTrace;
import dev.espalier.chat.Usage;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import dev.espalier.store.StoredVerdict;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Stored attempts judged again, by a judge behind HTTP that likes what is long.
class JudgeCommandTest {
  private static final Pattern SHOWN =
      Pattern.compile("<trajectory id=\"(\\d+)\">\\s*\\{.*?\"content\":\"([^\"]*)\"");

  @TempDir private Path data = Path.of("");
  private final List<String> asked = new ArrayList<>();
  private @Nullable HttpServer judge;

  @BeforeEach
  void start() throws IOException {
    judge = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    judge.createContext(
        "/v1/chat/completions",
        exchange -> {
          var request = Json.parse(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
          var messages = request.path("messages");
          asked.add(messages.path(0).path("content").asString());
          var scores = Json.array();
          var shown = SHOWN.matcher(messages.path(1).path("content").asString());
          while (shown.find()) {
            scores
                .addObject()
                .put("trajectory_id", shown.group(1))
                .put("explanation", "long")
                .put("score", shown.group(2).length() / 10.0);
          }
          var answer = Json.object();
          answer
              .putArray("choices")
              .addObject()
              .putObject("message")
              .put("role", "assistant")
              .put("content", Json.object().set("scores", scores).toString());
          var body = answer.toString().getBytes(UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    judge.start();
  }

  @AfterEach
  void stop() {
    if (judge != null) judge.stop(0);
  }

  private static Trajectory attempt(int member, String said, double reward, End end) {
    var messages = Json.array();
    messages.addObject().put("role", "user").put("content", "say");
    messages.addObject().put("role", "assistant").put("content", said);
    var trace = new TokenTrace(new int[] {1, 2}, new int[] {3}, new float[] {-0.5f}, "p@1", 1);
    var turn =
        new Completion(
            new Message.Assistant(said, List.of()), FinishReason.STOP, new Usage(2, 1), trace);
    return new Trajectory(
        new Task("say", "say-1", Json.object()),
        member,
        messages,
        null,
        List.of(turn),
        end,
        "",
        Map.of(Trajectory.ENV, reward));
  }

  private String run(String... more) {
    var out = new StringWriter();
    var err = new StringWriter();
    var all = new ArrayList<>(List.of("judge", "--json", "--data", data.toString()));
    all.addAll(List.of(more));
    execute(out, err, all);
    return out + err.toString();
  }

  private static int execute(StringWriter out, StringWriter err, List<String> arguments) {
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments.toArray(String[]::new));
  }

  private String url() {
    return "http://127.0.0.1:%d/v1"
        .formatted(java.util.Objects.requireNonNull(judge).getAddress().getPort());
  }

  @Test
  void attemptsAreJudgedUnderAnotherRubricWithoutBeingMadeAgain() throws IOException {
    var first = attempt(0, "aaaa", 1, End.DONE);
    try (var store = Store.open(data, Durability.PROCESS)) {
      var hung = attempt(3, "", 0, End.TIMEOUT);
      store.put(
          "rl/mine",
          1,
          List.of(first, attempt(1, "a", 0, End.DONE), attempt(2, "aaaaaa", 0, End.DONE), hung));
      assertThat(store.trajectories("rl/mine", 1).getFirst())
          .usingRecursiveComparison()
          .isEqualTo(first);
    }
    var rubric = Files.writeString(data.resolve("long.txt"), "The longer the better.\n");
    var lines =
        run("--run", "mine", "--judge", url(), "--rubric", rubric.toString()).lines().toList();
    assertThat(asked).hasSize(1).first().asString().contains("The longer the better.");
    var summary = Json.parse(lines.getLast());
    assertThat(summary.path("groups").asInt()).isEqualTo(1);
    assertThat(summary.path("pairs").asInt()).isEqualTo(2);
    assertThat(summary.path("agreement").asDouble()).isEqualTo(0.5);
    try (var store = Store.openExisting(data)) {
      var verdict = store.verdicts("rl/mine").getFirst();
      assertThat(verdict.rubric()).startsWith("long@");
      assertThat(verdict.scores())
          .extracting(score -> score.member() + " " + score.score())
          .containsExactly("0 0.4", "1 0.1", "2 0.6");
      var again =
          run("--run", "mine", "--judge", url(), "--label", verdict.rubric()).lines().toList();
      assertThat(Json.parse(again.getLast()).path("agreement").asDouble()).isEqualTo(1);
      assertThat(store.verdicts("rl/mine")).hasSize(2);
      run("--run=mine", "--judge=" + url(), "--judge-model=other", "--rubric=" + rubric);
      assertThat(store.verdicts("rl/mine")).hasSize(3).contains(verdict);
    }
  }

  @Test
  void verdictsAreKeptWhereNoLabelTellsAttemptsApart() {
    try (var store = Store.open(data, Durability.PROCESS)) {
      store.put(
          "rl/mine", 1, List.of(attempt(0, "a", 0, End.DONE), attempt(1, "aaa", 0, End.DONE)));
    }
    var summary = Json.parse(run("--run=mine", "--judge=" + url()).lines().toList().getLast());
    assertThat(summary.path("pairs").asInt(-1)).isZero();
    assertThat(summary.get("agreement").isNull()).isTrue();
    try (var store = Store.openExisting(data)) {
      assertThat(store.verdicts("rl/mine")).hasSize(1);
    }
  }

  @Test
  void anAdapterDistilledFromAJudgesAnswersJudges() throws IOException {
    var lines = new ArrayList<String>();
    for (int i = 0; i < 16; i++) {
      var chat = Json.object();
      var messages = chat.putArray("messages");
      var said = List.of("aaaa", "aaaaaa", "a", "aa").get(i % 4);
      messages
          .addObject()
          .put("role", "user")
          .put("content", "<A>\n" + said + "\n</A>\n<B>\n" + i + "\n</B>");
      messages.addObject().put("role", "assistant").put("content", "A");
      lines.add(chat.toString());
    }
    var calls = Files.write(data.resolve("calls.jsonl"), lines);
    var err = new StringWriter();
    var distil = new ArrayList<>(List.of("distil", "--from", calls.toString(), "--name", "first"));
    distil.addAll(List.of("--data", data.toString(), "--epochs", "10", "--json"));
    assertThat(execute(new StringWriter(), err, distil)).as(err.toString()).isZero();
    try (var store = Store.open(data, Durability.PROCESS)) {
      var attempts = new ArrayList<Trajectory>();
      for (int i = 0; i < 3; i++) attempts.add(attempt(i, "a".repeat(1 + i), i, End.DONE));
      store.put("rl/mine", 1, attempts);
    }
    var judged = run("--run", "mine", "--judge-adapter", "first", "--pairwise").lines().toList();
    var summary = Json.parse(judged.getLast());
    assertThat(summary.path("unscored").asInt(-1)).isZero();
    assertThat(summary.path("pairs").asInt()).isEqualTo(3);
    assertThat(summary.path("agreement").asDouble()).isEqualTo(0.5); // the first always: draws
    // the same name for other weights is another judge
    try (var store = Store.openExisting(data)) {
      var weights =
          Path.of(store.adapters().getFirst().path()).resolve("adapter_model.safetensors");
      var bytes = Files.readAllBytes(weights);
      bytes[bytes.length - 3]++;
      Files.write(weights, bytes);
      run("--run", "mine", "--judge-adapter", "first", "--pairwise");
      assertThat(store.verdicts("rl/mine"))
          .extracting(StoredVerdict::rubric)
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void oneJudgeIsNamed() {
    try (var store = Store.open(data, Durability.PROCESS)) {
      store.put("rl/mine", 1, List.of(attempt(0, "a", 1, End.DONE)));
    }
    assertThat(run("--run", "mine", "--judge", url(), "--judge-adapter", "first"))
        .contains("two judges");
    assertThat(run("--run", "mine", "--judge-adapter", "ghost")).contains("no adapter ghost in");
    assertThat(run("--run", "mine", "--judge", url(), "--pairwise", "--judge-orders", "2"))
        .contains("both orders anyway");
    assertThat(run("--run", "mine", "--judge-adapter", "first", "--judge-model", "other"))
        .contains("--judge-model is the model's name behind --judge URL");
    assertThat(run("--run", "mine", "--judge-model", "other")).contains("behind --judge URL");
    assertThat(run("--run", "mine", "--judge", url(), "--steps", "-1")).contains("at least 1");
  }

  @Test
  void whatIsNotThereIsNamed() {
    try (var store = Store.open(data, Durability.PROCESS)) {
      store.put("rl/mine", 1, List.of(attempt(0, "a", 1, End.DONE)));
    }
    assertThat(run("--run", "other", "--judge", url())).contains("no attempts of a run \"other\"");
    assertThat(run("--run", "mine")).contains("name a judge with --judge");
    assertThat(run("--run", "mine", "--judge", url(), "--label", "ruler@1"))
        .contains("no verdicts under ruler@1");
  }
}

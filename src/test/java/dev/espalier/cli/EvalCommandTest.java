package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.espalier.chat.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalCommandTest {
  private static final String LINE =
      """
      {"messages":[{"role":"user","content":"room %d"},{"role":"assistant","tool_calls":[{"id":"1",\
      "type":"function","function":{"name":"book","arguments":"{\\"room\\":%d}"}}]}]}
      """;

  @TempDir private Path dir;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private HttpServer server;
  private Path file;

  EvalCommandTest() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    file = Path.of("");
  }

  /// Serves `good`, which books the room that was asked for, `poor` and `base`, only even ones.
  @BeforeEach
  void start() throws IOException {
    server.createContext(
        "/v1/chat/completions",
        exchange -> {
          var request = Json.MAPPER.readTree(exchange.getRequestBody().readAllBytes());
          var said = request.at("/messages/0/content").asString();
          int room = Integer.parseInt(said.substring("room ".length()));
          var model = request.path("model").asString();
          if (model.equals("ghost")) {
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
            return;
          }
          if (model.equals("poor") || model.equals("base")) room -= room % 2;
          var answer =
              """
              {"choices":[{"finish_reason":"tool_calls","message":{"role":"assistant","tool_calls":[
              {"id":"x","type":"function","function":{"name":"book","arguments":"{\\"room\\":%d}"}}]}}],
              "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\
              """
                  .formatted(room)
                  .getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().add("Content-Type", "application/json");
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
    var lines = new StringBuilder();
    for (int i = 0; i < 40; i++) lines.append(LINE.formatted(i, i));
    file = Files.writeString(dir.resolve("held-out.jsonl"), lines);
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void printsOneJsonObject() {
    assertThat(run("--model", "poor", "--url", url(), "--on", file.toString(), "--json")).isZero();
    var json = Json.parse(out.toString());
    assertThat(json.get("exact").asDouble()).isEqualTo(0.5);
    assertThat(json.get("wrong_value").asInt()).isEqualTo(20);
    assertThat(json.get("wrong_tool").asInt()).isZero();
    assertThat(json.get("wrong_argument").asInt()).isZero();
    assertThat(json.get("unparseable").asInt()).isZero();
    assertThat(json.get("n").asInt()).isEqualTo(40);
    assertThat(json.get("prompt_tokens").asInt()).isEqualTo(120);
  }

  @Test
  void comparesTwoModels() throws IOException {
    var details = dir.resolve("details.jsonl");
    var on = file.toString();
    assertThat(
            run(
                "--model",
                "good",
                "--against",
                "poor",
                "--url",
                url(),
                "--on",
                on,
                "--json",
                "--details",
                details.toString()))
        .isZero();
    var comparison = Json.parse(out.toString()).get("comparison");
    assertThat(comparison.get("difference").asDouble()).isEqualTo(0.5);
    assertThat(comparison.get("difference_ci").get(0).asDouble()).isBetween(0.3, 0.4);
    assertThat(Files.readAllLines(details)).hasSize(40).first().asString().contains("\"exact\"");
  }

  @Test
  void aServersModelMayBeCalledBase() {
    var options = List.of("--model=good", "--against=base", "--url=" + url(), "--on=" + file);
    assertThat(run(options.toArray(String[]::new))).isZero();
    assertThat(out.toString()).contains("against base  50.0 % exact");
  }

  @Test
  void whatWasMeasuredIsNotLostWithWhatItIsComparedWith() throws IOException {
    var details = dir.resolve("details.jsonl");
    assertThat(
            run(
                "--model=good",
                "--against=ghost",
                "--url=" + url(),
                "--on=" + file,
                "--json",
                "--details=" + details))
        .isEqualTo(1);
    assertThat(err.toString()).startsWith("espalier: every request failed: 404");
    assertThat(Json.parse(out.toString()).get("exact").asDouble()).isEqualTo(1);
    assertThat(Files.readAllLines(details)).hasSize(40);
  }

  @Test
  void printsATableForPeople() {
    assertThat(run("--model", "poor", "--url", url(), "--on", file.toString())).isZero();
    assertThat(out.toString()).contains("tool calls  50.0 % exact of 40").contains("wrong_value");
  }

  @Test
  void errorsAreOneLineThatSaysWhatToDo() throws IOException {
    assertThat(run("--model", "m", "--on", "nowhere.jsonl", "--json")).isEqualTo(1);
    assertThat(err.toString()).isEqualTo("espalier: nowhere.jsonl does not exist\n");
    assertThat(out.toString()).isEmpty();

    err.getBuffer().setLength(0);
    var bad = Files.writeString(dir.resolve("bad.jsonl"), LINE.formatted(1, 1) + "{\n");
    assertThat(run("--model", "m", "--url", url(), "--on", bad.toString())).isEqualTo(1);
    assertThat(err.toString()).startsWith("espalier: " + bad + ":2: not JSON").hasLineCount(1);
  }

  @Test
  void aServerIsAskedForAModelByItsName() {
    var on = file.toString();
    assertThat(run("--url", url(), "--on", on)).isEqualTo(1);
    assertThat(run("--url", url(), "--on", on, "--model", "good", "--adapter", "mine"))
        .isEqualTo(1);
    assertThat(err.toString())
        .contains("--url needs --model NAME", "--adapter is for a local model")
        .hasLineCount(2);
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void whereTheDetailsCannotBeWrittenNobodyIsAsked() {
    var details = dir.resolve("no/details.jsonl");
    var options = List.of("--model=m", "--url=" + url(), "--on=" + file, "--details=" + details);
    assertThat(run(options.toArray(String[]::new))).isEqualTo(1);
    assertThat(err.toString())
        .isEqualTo(
            "espalier: --details %s: there is no folder %s\n"
                .formatted(details, dir.resolve("no")));
  }

  @Test
  void aModelThatNeverAnswersIsAnErrorAndNoScore() {
    server.removeContext("/v1/chat/completions"); // what is left answers 404
    assertThat(run("--model", "m", "--url", url(), "--on", file.toString(), "--json")).isEqualTo(1);
    assertThat(err.toString()).startsWith("espalier: every request failed: 404");
    assertThat(out.toString()).isEmpty();
  }

  /// A random model knows nothing, so every turn is wrong, but each is answered and accounted for.
  @Test
  void measuresALocalModelAndItsAdapter() throws IOException {
    var fixture = Path.of("src/test/resources/fixtures/qwen3-tiny");
    for (var name : List.of("config.json", "generation_config.json", "model.safetensors")) {
      Files.copy(fixture.resolve(name), dir.resolve(name));
    }
    var vocabulary = Json.object().put("?", 0).put("<end>", 1).put("room", 2);
    for (int id = 3; id < 96; id++) vocabulary.put("word" + id, id);
    Files.writeString(
        dir.resolve("tokenizer.json"),
        """
        {"version":"1.0","added_tokens":[{"id":1,"content":"<end>","special":true,"single_word":false,
        "lstrip":false,"rstrip":false,"normalized":false}],"pre_tokenizer":{"type":"Whitespace"},
        "model":{"type":"WordLevel","unk_token":"?","vocab":%s}}\
        """
            .formatted(vocabulary));
    Files.writeString(
        dir.resolve("tokenizer_config.json"),
        """
        {"eos_token":"<end>","chat_template":
        "{% for m in messages %}{{ m.content }} {% endfor %}"}\
        """);
    var model = dir.toString();
    var on = file.toString();
    var adapter = fixture.resolve("lora-all-linear").toString();
    assertThat(
            run(
                "--model",
                model,
                "--adapter",
                adapter,
                "--against",
                "base",
                "--on",
                on,
                "--json",
                "--max-tokens",
                "3"))
        .as(err.toString())
        .isZero();
    var json = Json.parse(out.toString());
    assertThat(json.get("no_call").asInt()).isEqualTo(40);
    assertThat(json.get("errors").asInt()).isZero();
    assertThat(json.get("completion_tokens").asInt()).isBetween(40, 120);
    assertThat(json.at("/comparison/n").asInt()).isEqualTo(40);

    assertThat(run("--model", model, "--adapter", "ghost", "--on", on, "--data", model))
        .isEqualTo(1);
    assertThat(err.toString()).startsWith("espalier: no store in").hasLineCount(1);

    out.getBuffer().setLength(0);
    assertThat(run("--model", model, "--against", "ghost", "--on", on, "--data", model))
        .isEqualTo(1);
    assertThat(out.toString()).isEmpty();
  }

  private String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
  }

  private int run(String... arguments) {
    var all = new String[arguments.length + 1];
    all[0] = "eval";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(all);
  }
}

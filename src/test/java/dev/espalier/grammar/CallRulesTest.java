package dev.espalier.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.chat.TinyFormat;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.ToolCallSyntax;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.node.ObjectNode;

/// Tool calls in every syntax, each with a tiny vocabulary: texts are drawn at random, many of them
/// after a wrong call as far as that is allowed, and read back.
final class CallRulesTest {
  private static final int DRAWS = 200;
  private static final long SEED = Long.getLong("espalier.seed", 20_261_127);
  private static final List<String> BAITS =
      List.of(
          "<|call|> Find\n city: Rome\n boat: x",
          " Well.<|call|> Find\n boat: x",
          "<tool_call>\n{\"name\": \"Find\", \"arguments\": {\"city\": 5}}\n</tool_call>",
          "Well. <tool <tool_call>\n{\"name\": \"Fly\", \"arguments\": {}}\n</tool_call>",
          "{\"name\": \"Find\", \"parameters\": {\"city\": 5}}",
          " \n{\n\"name\": \"Fly\", \"parameters\": {}}",
          "<think>\n</think>\n{\"name\": \"Fly\", \"parameters\": {}}",
          "<think>\n</think>\n<tool_call>{\"name\": \"Fly\", \"arguments\": {}}",
          "<|python_tag|>{\"name\": \"Fly\", \"parameters\": {}}",
          "[TOOL_CALLS][{\"name\": \"Find\", \"arguments\": {\"city\": 5}}]",
          "Well. [[TOOL_CALLS]Fly[ARGS]{}");

  @TempDir private static Path dir = Path.of("");

  private static ObjectNode request(String choice, boolean strict, String parameters) {
    var json = Json.object();
    json.putArray("messages").addObject().put("role", "user").put("content", "hi");
    json.put("tool_choice", choice);
    var function = json.putArray("tools").addObject().put("type", "function").putObject("function");
    function.put("name", "Find").put("strict", strict).set("parameters", Json.parse(parameters));
    return json;
  }

  private static ChatRequest finding(String choice, boolean strict) {
    var city = "{\"city\": {\"type\": \"string\"}, \"seats\": {\"type\": \"integer\"}}";
    return new ChatRequest(
        request(
            choice,
            strict,
            "{\"type\": \"object\", \"properties\": %s, \"required\": [\"city\"]}"
                .formatted(city)));
  }

  /// The calls of texts that a request allows, of each text its own.
  private static List<List<ToolCall>> calls(ChatFormat format, ChatRequest request) {
    var grammar = Objects.requireNonNull(new Grammars(format).of(request));
    var random = new Random(SEED);
    var calls = new ArrayList<List<ToolCall>>();
    for (int i = 0; i < DRAWS; i++) {
      var bait = i % 2 == 0 ? BAITS.get(random.nextInt(BAITS.size())) : "";
      int[] ids = draw(format, grammar, bait, random);
      var reply = format.parse(ids, request.tools());
      assertThat(reply.unparseable()).as(format.tokenizer().decode(ids)).isFalse();
      calls.add(reply.message().calls());
    }
    return calls;
  }

  private static int[] draw(ChatFormat format, Grammar grammar, String bait, Random random) {
    var matcher = grammar.matcher();
    var ids = new ArrayList<Integer>();
    for (int id : format.tokenizer().encode(bait)) {
      if (!options(matcher).contains(id)) break;
      ids.add(id);
      matcher.accept(id);
    }
    int enough = ids.size() + 30;
    while (true) {
      assertThat(ids).as("tokens of a text that should have ended").hasSizeLessThan(1000);
      var options = options(matcher);
      assertThat(options).as("tokens after %s", ids).isNotEmpty();
      int next =
          ids.size() < enough
              ? options.get(random.nextInt(options.size()))
              : nearest(format, options);
      if (format.stops().contains(next)) return ids.stream().mapToInt(it -> it).toArray();
      ids.add(next);
      matcher.accept(next);
    }
  }

  /// The token that most likely leads to the end.
  private static int nearest(ChatFormat format, List<Integer> options) {
    for (int stop : format.stops()) if (options.contains(stop)) return stop;
    for (var end : List.of("\"", "}", "]", "0")) {
      for (int option : options) if (format.tokenizer().decode(option).equals(end)) return option;
    }
    return options.getFirst();
  }

  private static List<Integer> options(Matcher matcher) {
    var allowed = matcher.allowed();
    var options = new ArrayList<Integer>();
    for (int i = 0; i < allowed.length * 64; i++) {
      if ((allowed[i >> 6] >>> i & 1) != 0) options.add(i);
    }
    return options;
  }

  private static boolean allows(ChatFormat format, ChatRequest request, String text) {
    var matcher = Objects.requireNonNull(new Grammars(format).of(request)).matcher();
    for (int id : format.tokenizer().encode(text)) {
      if (!options(matcher).contains(id)) return false;
      matcher.accept(id);
    }
    return options(matcher).containsAll(format.stops());
  }

  private static void assertRight(ToolCall call) {
    assertThat(call.name()).isEqualTo("Find");
    var arguments = Json.parse(call.arguments());
    assertThat(arguments.path("city").isString()).as(call.arguments()).isTrue();
    boolean seats = arguments.has("seats");
    assertThat(arguments.path("seats").isIntegralNumber()).isEqualTo(seats);
    assertThat(arguments.size()).isEqualTo(seats ? 2 : 1);
  }

  @ParameterizedTest
  @CsvSource({
    "LINES,true",
    "HERMES,true",
    "HERMES,false",
    "LLAMA3,true",
    "MISTRAL,true",
    "MISTRAL,false"
  })
  void callsAreRightWhereTheyMustBeAndAbsentWhereTheyMayNotBe(
      ToolCallSyntax syntax, boolean markers) throws IOException {
    try (var format = TinyFormat.of(syntax, markers, dir)) {
      assertThat(format.syntax()).isEqualTo(syntax);
      var forced = calls(format, finding("required", false));
      assertThat(forced).allSatisfy(each -> assertThat(each).isNotEmpty());
      forced.forEach(each -> each.forEach(CallRulesTest::assertRight));
      var strict = calls(format, finding("auto", true));
      assertThat(strict).anyMatch(List::isEmpty).anyMatch(each -> !each.isEmpty());
      strict.forEach(each -> each.forEach(CallRulesTest::assertRight));
      assertThat(calls(format, finding("none", true))).allMatch(List::isEmpty);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"HERMES", "LLAMA3", "MISTRAL"})
  void wordsMayHoldAllThatMakesNoCall(ToolCallSyntax syntax) throws IOException {
    try (var format = TinyFormat.of(syntax, true, dir)) {
      for (var text :
          List.of(
              "",
              " \n",
              "Where to?",
              "It is {\"name\": \"Rome\"} <think>",
              "<answer>42</answer>",
              "<",
              "<thin",
              "<think>\n\n</think>\n\nWhere to?",
              "<think>\nhm\n</think>\n\n{}",
              "<think> <",
              "日本 {")) {
        assertThat(allows(format, finding("none", true), text)).as(text).isTrue();
        assertThat(allows(format, finding("auto", true), text)).as(text).isTrue();
      }
    }
  }

  private static ChatRequest withCity(String schema) {
    var parameters = Json.object().put("type", "object");
    parameters.putObject("properties").set("city", Json.parse(schema));
    parameters.putArray("required").add("city");
    return new ChatRequest(request("required", true, parameters.toString()));
  }

  /// What may be a string is read as one, so that it is written as one.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"type\":[\"string\",\"null\"]} | null | true",
        "{\"type\":[\"string\",\"null\"],\"enum\":[\"C\",\"F\"]} | null | false",
        "{\"type\":[\"string\",\"null\"],\"enum\":[\"C\",null]} | null | true",
        "{\"type\":[\"string\",\"null\"],\"enum\":[\"C\",\"F\"]} | C | true",
        "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]} | 90210 | true",
        "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]} | null | true",
        "{\"anyOf\":[{\"enum\":[\"C\"]},{\"type\":\"integer\"}]} | 5 | false",
        "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]} | 5 | true",
        "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]} | five | false",
      })
  void linesHoldWhatTheirSchemaAllows(String schema, String value, boolean allowed)
      throws IOException {
    try (var format = TinyFormat.of(ToolCallSyntax.LINES, true, dir)) {
      var text = "<|call|> Find\n city: " + value;
      assertThat(allows(format, withCity(schema), text)).isEqualTo(allowed);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"type\":\"string\",\"enum\":[]} | has no value of its type",
        "{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#/properties/city\"}},\"required\":[\"n\"]} | no finite value",
      })
  void whatNoLineCanHoldIsAnError(String schema, String says) throws IOException {
    try (var format = TinyFormat.of(ToolCallSyntax.LINES, true, dir)) {
      var grammars = new Grammars(format);
      assertThatThrownBy(() -> grammars.of(withCity(schema)))
          .isInstanceOf(ChatException.class)
          .hasMessageContaining(says);
    }
  }

  /// A tool that is not strict is called with as much of its schema as can be kept to.
  @ParameterizedTest
  @EnumSource(names = {"LINES", "HERMES", "LLAMA3", "MISTRAL"})
  void whatCannotBeKeptToIsDroppedAndNothingElse(ToolCallSyntax syntax) throws IOException {
    var request =
        new ChatRequest(
            request(
                "required",
                false,
                """
                {"type": "object", "minProperties": 2, "required": ["code", "when"], "properties": {
                   "code": {"pattern": "^a+$", "type": "string", "maxLength": 3},
                   "size": {"minLength": 1, "enum": ["s", "l"]},
                   "seats": {"type": "integer", "multipleOf": 2, "minimum": 1},
                   "to": {"$ref": "#/$defs/place", "x-order": 1}},
                 "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}}}
                """));
    try (var format = TinyFormat.of(syntax, true, dir)) {
      assertCall(format, request, true, "code=bbb,size=s,seats=3,when=null");
      assertCall(format, request, true, "code=,to={\"city\":\"Rome\"},when=[1]");
      assertCall(format, request, false, "code=bbb");
      assertCall(format, request, false, "size=s,when=1");
      assertCall(format, request, false, "code=bbbb,when=1");
      assertCall(format, request, false, "code=b,size=m,when=1");
      assertCall(format, request, false, "code=b,seats=0,when=1");
      assertCall(format, request, false, "code=b,seats=many,when=1");
      assertCall(format, request, false, "code=b,to={\"town\":1},when=1");
    }
  }

  private static void assertCall(ChatFormat format, ChatRequest request, boolean may, String list) {
    var lines = new StringBuilder(" Find");
    var object = new ArrayList<String>();
    for (var argument : list.split(",")) {
      var name = argument.substring(0, argument.indexOf('='));
      var value = argument.substring(name.length() + 1);
      lines.append("\n ").append(name).append(": ").append(value);
      var json = List.of("code", "size").contains(name) ? '"' + value + '"' : value;
      object.add("\"%s\": %s".formatted(name, json));
    }
    var json = "{" + String.join(", ", object) + "}";
    var call = "{\"name\": \"Find\", \"%s\": " + json + "}";
    var text =
        switch (format.syntax()) {
          case LINES -> "<|call|>" + lines;
          case HERMES -> "<tool_call>\n" + call.formatted("arguments") + "\n</tool_call>";
          case LLAMA3 -> call.formatted("parameters");
          case MISTRAL -> "[TOOL_CALLS][" + call.formatted("arguments") + "]";
          case NONE -> "";
        };
    assertThat(allows(format, request, text)).as(text).isEqualTo(may);
  }
}

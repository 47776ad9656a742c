package dev.espalier.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

@Execution(ExecutionMode.CONCURRENT)
final class GrammarTest {
  private static final int SCHEMAS = Integer.getInteger("espalier.schemas", 3000);
  private static final long SEED = Long.getLong("espalier.seed", 20_261_125);
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private static final ChatFormat FORMAT = ChatFormat.load(Path.of("models/espalier-6m"));
  private static final Grammars GRAMMARS = new Grammars(FORMAT);

  @AfterAll
  static void close() {
    FORMAT.close();
  }

  /// Tokens are drawn at random from those that are allowed, for thousands of random schemas: the
  /// text always ends, is JSON, and is valid by a validator that knows nothing of this.
  @Test
  void whateverIsAllowedIsValid() {
    var random = new Random(SEED);
    int possible = 0;
    for (int i = 0; i < SCHEMAS; i++) {
      var schema = new Schemas(SEED + i).root();
      var grammar = grammarOf(schema);
      possible++;
      var text = draw(grammar, random);
      assertValid(schema, text, "seed " + (SEED + i));
    }
    assertThat(possible).isEqualTo(SCHEMAS);
  }

  /// The other way round: what is valid is allowed, token by token.
  @Test
  void whateverIsValidInTheSchemasOrderIsAllowed() {
    int pretty = 0;
    for (int i = 0; i < SCHEMAS; i++) {
      var schemas = new Schemas(SEED + i);
      var schema = schemas.root();
      var grammar = grammarOf(schema);
      var value = schemas.value(schema, schema);
      assertThat(validator(schema).validate(value)).as("seed %d", SEED + i).isEmpty();
      assertThat(allows(grammar, value.toString())).as("%s, seed %d", value, SEED + i).isTrue();
      var lines = value.toPrettyString();
      if (lines.contains(" :")) lines = lines.replace("\" : ", "\": ");
      if (i % 3 == 0 && allows(grammar, lines)) pretty++;
    }
    assertThat(pretty).as("values in lines").isGreaterThan(SCHEMAS / 6);
  }

  private static Grammar grammarOf(ObjectNode schema) {
    return Objects.requireNonNull(GRAMMARS.of(answering(schema)));
  }

  private static ChatRequest answering(JsonNode schema) {
    var request = request();
    request
        .putObject("response_format")
        .put("type", "json_schema")
        .putObject("json_schema")
        .set("schema", schema);
    return new ChatRequest(request);
  }

  private static ObjectNode request() {
    var json = Json.object();
    json.putArray("messages").addObject().put("role", "user").put("content", "hi");
    return json;
  }

  private static Schema validator(JsonNode schema) {
    return REGISTRY.getSchema(schema);
  }

  private static void assertValid(JsonNode schema, String text, String what) {
    var value = Json.parse(text.strip());
    var errors =
        validator(schema)
            .validate(
                value,
                context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
    assertThat(errors).as("%s: %s under %s", what, text, schema).isEmpty();
  }

  /// A random text, which hastens to its end after a while.
  private static String draw(Grammar grammar, Random random) {
    var matcher = grammar.matcher();
    var ids = new ArrayList<Integer>();
    while (true) {
      assertThat(ids).as("tokens of a text that should have ended").hasSizeLessThan(3000);
      int next = ids.size() < 40 ? any(matcher.allowed(), random) : nearest(matcher.allowed());
      if (FORMAT.stops().contains(next)) break;
      ids.add(next);
      matcher.accept(next);
    }
    return FORMAT.tokenizer().decode(ids.stream().mapToInt(it -> it).toArray());
  }

  private static int any(long[] allowed, Random random) {
    var options = options(allowed);
    assertThat(options).as("tokens that are allowed").isNotEmpty();
    return options.get(random.nextInt(options.size()));
  }

  /// The token that most likely leads to the end.
  private static int nearest(long[] allowed) {
    var options = options(allowed);
    for (int stop : FORMAT.stops()) if (options.contains(stop)) return stop;
    for (var end : List.of("\"", "}", "]", ",", "0")) {
      for (int option : options) {
        if (FORMAT.tokenizer().decode(option).equals(end)) return option;
      }
    }
    return options.getFirst();
  }

  private static List<Integer> options(long[] allowed) {
    var options = new ArrayList<Integer>();
    for (int i = 0; i < allowed.length * 64; i++) if (has(allowed, i)) options.add(i);
    return options;
  }

  private static boolean has(long[] allowed, int token) {
    return (allowed[token >> 6] >>> token & 1) != 0;
  }

  /// Whether a text may be said, by the tokens that it has in the model's own spelling.
  private static boolean allows(Grammar grammar, String text) {
    return allows(grammar, FORMAT.tokenizer().encode(" " + text));
  }

  private static boolean allows(Grammar grammar, int... ids) {
    var matcher = grammar.matcher();
    for (int id : ids) {
      if (!has(matcher.allowed(), id)) return false;
      matcher.accept(id);
    }
    return has(matcher.allowed(), FORMAT.stops().iterator().next());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"type\":\"string\",\"pattern\":\"^a+$\"} | # has \"pattern\"",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"strnig\"}}} | #/properties/a has the unknown type \"strnig\"",
        "{\"$ref\":\"#/$defs/gone\"} | refers to #/$defs/gone, which is missing",
        "{\"$ref\":\"https://example.com/x\"} | can be followed",
        "{\"anyOf\":[{\"$ref\":\"#\"}]} | refers to itself",
        "{\"type\":\"object\",\"required\":[\"a\"]} | requires what has no schema",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]} | no finite value",
        "{\"type\":\"integer\",\"minimum\":5,\"maximum\":4} | allows no number",
        "{\"type\":\"integer\",\"multipleOf\":3} | has \"multipleOf\"",
        "{\"type\":[\"integer\",\"number\"],\"exclusiveMinimum\":0} | # has \"exclusiveMinimum\"",
        "{\"exclusiveMaximum\":0} | # has \"exclusiveMaximum\"",
        "{\"pattern\":\"a\"} | # has \"pattern\"",
        "{\"type\":\"string\",\"format\":\"hostname\"} | has the format \"hostname\"",
        "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]} | may both fit",
        "{\"enum\":[1,2],\"type\":\"string\"} | has no value of its type",
        "{\"enum\":[]} | has no value of its type",
        "{\"type\":\"array\",\"items\":false,\"minItems\":1} | minItems above maxItems",
        "false | must be an object",
      })
  void whatCannotBeKeptToIsAnErrorThatNamesThePlace(String schema, String says) {
    assertThatThrownBy(() -> GRAMMARS.of(answering(Json.parse(schema))))
        .isInstanceOf(ChatException.class)
        .hasMessageContaining(says)
        .satisfies(e -> assertThat(((ChatException) e).status()).isEqualTo(400));
  }

  /// Keywords limit values of their own type, named or not, and leave the others alone.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"minimum\":0,\"maximum\":120} | 120 | 500",
        "{\"minimum\":0,\"maximum\":120} | \"old\" | -1.5",
        "{\"maxLength\":5} | \"abcde\" | \"abcdef\"",
        "{\"maxLength\":5} | {\"abcdef\":[\"abcdef\"]} | \"abcdefg\"",
        "{\"format\":\"date\"} | \"2026-11-27\" | \"tomorrow\"",
        "{\"maxItems\":3} | [1,2,3] | [1,2,3,4]",
        "{\"additionalProperties\":false} | {} | {\"a\":1}",
        "{\"additionalProperties\":{\"type\":\"null\"}} | {\"a\":null} | {\"a\":1}",
        "{\"type\":[\"string\",\"string\",\"string\",\"string\",\"string\",\"string\",\"null\"]} | null | 1",
        "{\"title\":\"anything\"} | {\"a\":[1,\"b\"]} | nothing",
      })
  void whatNamesNoTypeIsLimitedAllTheSame(String schema, String valid, String invalid) {
    assertThat(allows(grammarOf((ObjectNode) Json.parse(schema)), valid)).isTrue();
    assertThat(allows(grammarOf((ObjectNode) Json.parse(schema)), invalid)).isFalse();
    var inside = Json.object().put("type", "object");
    inside.putArray("required").add("age");
    inside.putObject("properties").set("age", Json.parse(schema));
    assertThat(allows(grammarOf(inside), "{\"age\":%s}".formatted(valid))).isTrue();
    assertThat(allows(grammarOf(inside), "{\"age\":%s}".formatted(invalid))).isFalse();
  }

  @Test
  void anyValueNestsAsDeepAsParsersFollow() {
    var grammar = grammarOf(Json.object().put("title", "anything"));
    assertThat(allows(grammar, "[".repeat(64) + "]".repeat(64))).isTrue();
    assertThat(allows(grammar, "[".repeat(65) + "]".repeat(65))).isFalse();
    assertThat(allows(grammar, "{\"a\":".repeat(64) + "1" + "}".repeat(64))).isTrue();
    assertThat(allows(grammar, "{\"a\":".repeat(65) + "1" + "}".repeat(65))).isFalse();
  }

  @Test
  void whatLimitsNothingHasNoGrammar() {
    assertThat(GRAMMARS.of(new ChatRequest(request()))).isNull();
    var text = request();
    text.putObject("response_format").put("type", "text");
    assertThat(GRAMMARS.of(new ChatRequest(text))).isNull();
    assertThat(GRAMMARS.of(new ChatRequest(tools("\"auto\"", false)))).isNull();
  }

  /// Definitions that use the next one twice: a schema whose size unfolded is 2 to the 40th.
  @Test
  void definitionsAreLookedIntoOnce() {
    var schema = Json.object().put("$ref", "#/$defs/d0");
    var definitions = schema.putObject("$defs");
    for (int i = 0; i < 40; i++) {
      var object = definitions.putObject("d" + i).put("type", "object");
      for (var name : List.of("a", "b")) {
        object.withObject("properties").putObject(name).put("$ref", "#/$defs/d" + (i + 1));
        object.withArray("required").add(name);
      }
    }
    definitions.putObject("d40").put("type", "null");
    assertThat(allows(grammarOf(schema), "{\"a\":{\"a\":1")).isFalse();
  }

  @Test
  void isCompiledOnce() {
    var schema = Json.object().put("type", "integer");
    assertThat(grammarOf(schema)).isSameAs(grammarOf(schema.deepCopy()));
  }

  private static ObjectNode tools(String choice, boolean strict) {
    var request = request();
    request.set("tool_choice", Json.parse(choice));
    var tools = request.putArray("tools");
    for (var name : List.of("order_fuel", "lookup_vessel")) {
      var function = tools.addObject().put("type", "function").putObject("function");
      function.put("name", name).put("strict", strict);
      var parameters = function.putObject("parameters").put("type", "object");
      var properties = parameters.putObject("properties");
      properties.putObject("vessel").put("type", "string");
      if (name.equals("order_fuel")) properties.putObject("litres").put("type", "integer");
      parameters.putArray("required").add("vessel");
      parameters.put("additionalProperties", false);
    }
    return request;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\"required\"", "{\"type\":\"function\",\"function\":{\"name\":\"order_fuel\"}}"})
  void aForcedCallIsACall(String choice) {
    var request = new ChatRequest(tools(choice, false));
    var grammar = Objects.requireNonNull(GRAMMARS.of(request));
    var random = new Random(SEED);
    for (int i = 0; i < 200; i++) {
      var matcher = grammar.matcher();
      var ids = new ArrayList<Integer>();
      for (int next = -1; !FORMAT.stops().contains(next); ) {
        var allowed = matcher.allowed();
        boolean may = FORMAT.stops().stream().anyMatch(stop -> has(allowed, stop));
        next = may && ids.size() > 30 ? FORMAT.stops().iterator().next() : any(allowed, random);
        ids.add(next);
        if (!FORMAT.stops().contains(next)) matcher.accept(next);
      }
      var reply =
          FORMAT.parse(ids.stream().mapToInt(it -> it).toArray(), request.tools()).message();
      assertThat(reply.calls()).isNotEmpty();
      for (var call : reply.calls()) {
        if (!choice.equals("\"required\"")) assertThat(call.name()).isEqualTo("order_fuel");
        var schema =
            Objects.requireNonNull(request.tools())
                .valueStream()
                .map(tool -> tool.get("function"))
                .filter(tool -> tool.path("name").asString().equals(call.name()))
                .findFirst()
                .orElseThrow()
                .get("parameters");
        assertValid(schema, call.arguments(), call.name());
      }
    }
  }

  @Test
  void textMayComeBeforeAStrictCallAndInsteadOfIt() {
    var grammar = Objects.requireNonNull(GRAMMARS.of(new ChatRequest(tools("\"auto\"", true))));
    var tokenizer = FORMAT.tokenizer();
    assertThat(allows(grammar, tokenizer.encode(" Which vessel is it?"))).isTrue();
    assertThat(allows(grammar, tokenizer.encode("<|call|> order_fuel\n vessel: Old Tom"))).isTrue();
    assertThat(allows(grammar, tokenizer.encode(" Sure.<|call|> lookup_vessel\n vessel: B 12")))
        .isTrue();
    assertThat(allows(grammar, tokenizer.encode("<|call|> order_fuel\n boat: Old Tom"))).isFalse();
    assertThat(allows(grammar, tokenizer.encode("<|call|> order_fuel"))).isFalse();
    assertThat(allows(grammar, tokenizer.encode("<|call|> order_fuel\n vessel: x\n litres: many")))
        .isFalse();
  }

  @Test
  void noneForbidsCalls() {
    var grammar = Objects.requireNonNull(GRAMMARS.of(new ChatRequest(tools("\"none\"", false))));
    assertThat(allows(grammar, FORMAT.tokenizer().encode(" Which vessel?"))).isTrue();
    assertThat(allows(grammar, FORMAT.tokenizer().encode("<|call|> lookup_vessel"))).isFalse();
  }

  @Test
  void aToolThatIsNotThereCannotBeForced() {
    var request = tools("{\"type\":\"function\",\"function\":{\"name\":\"fly\"}}", false);
    assertThatThrownBy(() -> GRAMMARS.of(new ChatRequest(request)))
        .hasMessageContaining("\"fly\", which is no tool");
  }
}

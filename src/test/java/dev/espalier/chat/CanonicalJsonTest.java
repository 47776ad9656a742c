package dev.espalier.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class CanonicalJsonTest {
  private static final long SEED = Long.getLong("seed", 7L);

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | 1.0",
        "1 | 1e0",
        "100 | 1E+2",
        "0 | -0.0",
        "0.1 | 0.10",
        "12345678901234567890 | 12345678901234567890.0",
        "{\"a\":1,\"b\":[{\"x\":1,\"y\":2}]} | {\"b\":[{\"y\":2.0,\"x\":1}],\"a\":1}",
        "{} | { }",
        "\"\\u00e9\" | \"é\"",
      })
  void equalValuesHaveOneText(String a, String b) {
    assertThat(call(a)).isEqualTo(call(b));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | \"1\"",
        "1 | true",
        "0 | false",
        "null | \"null\"",
        "null | {}",
        "[1,2] | [2,1]",
        "[] | {}",
        "[[]] | []",
        "{\"a\":null} | {}",
        "\"a\" | \"A\"",
        "\"a\" | \"a \"",
        "[\"a,b\"] | [\"a\",\"b\"]",
        "1.0000000000000000001 | 1",
      })
  void differentValuesHaveDifferentTexts(String a, String b) {
    assertThat(call(a)).isNotEqualTo(call(b));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"a\":1", "[1]", "\"a\"", "1", "{\"a\":1,\"a\":2}", "{} {}", "{a:1}"})
  void whatIsNotOneObjectIsUnparseable(String arguments) {
    assertThat(CanonicalCall.of(new ToolCall("", "t", arguments))).isNull();
  }

  @Test
  void noArgumentsAreAnEmptyObject() {
    assertThat(CanonicalCall.of(new ToolCall("1", "t", " ")))
        .isEqualTo(CanonicalCall.of(new ToolCall("2", "t", "{}")));
  }

  /// A value written in another order and with other spellings of its numbers stays the same; with
  /// one leaf changed it does not.
  @Test
  void randomTreesAreEqualToTheirReshuffledSelves() {
    for (long seed = SEED; seed < SEED + 300; seed++) {
      var tree = Json.object().set("root", tree(new Random(seed), 4));
      var text = CanonicalJson.of(tree);
      var shuffled = shuffle(tree, new Random(~seed));
      assertThat(CanonicalJson.of(shuffled)).as("seed %d", seed).isEqualTo(text);
      assertThat(CanonicalJson.of(Json.parse(text))).as("seed %d", seed).isEqualTo(text);
      assertThat(CanonicalJson.of(Json.array().add(shuffled).add(1)))
          .as("seed %d", seed)
          .isNotEqualTo(CanonicalJson.of(Json.array().add(1).add(shuffled)));
    }
  }

  private static CanonicalCall call(String value) {
    var call = CanonicalCall.of(new ToolCall("", "t", "{\"v\":" + value + "}"));
    return Objects.requireNonNull(call, value);
  }

  private static JsonNode tree(Random random, int depth) {
    int kind = random.nextInt(depth == 0 ? 4 : 6);
    var holder = Json.array();
    switch (kind) {
      case 0 -> holder.add(random.nextInt(1000) - 500);
      case 1 -> holder.add(random.nextInt(1000) / 8.0);
      case 2 -> holder.add("s\"\\\n" + random.nextInt(100));
      case 3 -> holder.add(random.nextBoolean());
      case 4 -> {
        var object = Json.object();
        for (int i = random.nextInt(5); i > 0; i--) {
          object.set("k" + random.nextInt(50), tree(random, depth - 1));
        }
        holder.add(object);
      }
      default -> {
        var array = Json.array();
        for (int i = random.nextInt(5); i > 0; i--) array.add(tree(random, depth - 1));
        holder.add(array);
      }
    }
    return holder.get(0);
  }

  private static JsonNode shuffle(JsonNode value, Random random) {
    if (value.isArray()) {
      var array = Json.array();
      for (var element : value) array.add(shuffle(element, random));
      return array;
    }
    if (value.isInt()) return Json.array().add((double) value.asInt()).get(0);
    if (!value.isObject()) return value;
    var names = new ArrayList<>(value.propertyNames());
    Collections.shuffle(names, random);
    var object = Json.object();
    for (var name : names) object.set(name, shuffle(value.get(name), random));
    return object;
  }
}

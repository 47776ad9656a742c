package dev.espalier.tools;

import dev.espalier.chat.Json;
import dev.espalier.env.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A JavaScript function to write, and the tests that decide whether it was.
///
/// @param prompt what the function is to do
/// @param shown tests that the policy is told of
/// @param hidden tests that it is not told of: at least one
record CodeTask(
    String id, String prompt, String function, List<TestCase> shown, List<TestCase> hidden) {
  private static final Set<String> FIELDS = Set.of("id", "prompt", "function", "shown", "hidden");
  private static final Set<String> TEST_FIELDS = Set.of("arguments", "expected");

  CodeTask {
    shown = List.copyOf(shown);
    hidden = List.copyOf(hidden);
    if (id.isBlank()) throw new IllegalArgumentException("\"id\" is empty");
    if (prompt.isBlank()) throw new IllegalArgumentException("\"prompt\" is empty");
    if (!JavaScriptSandbox.isName(function)) {
      throw new IllegalArgumentException("\"%s\" cannot name a function".formatted(function));
    }
    if (hidden.isEmpty()) {
      throw new IllegalArgumentException("\"hidden\" is empty: a task needs a hidden test");
    }
  }

  /// Reads a task from its JSON.
  ///
  /// @throws IllegalArgumentException if it is not one, saying what is wrong
  static CodeTask read(JsonNode json) {
    if (!json.isObject()) throw new IllegalArgumentException("a task must be a JSON object");
    only(FIELDS, json, "a task");
    return new CodeTask(
        text(json, "id"),
        text(json, "prompt"),
        text(json, "function"),
        tests(json, "shown"),
        tests(json, "hidden"));
  }

  private static void only(Set<String> fields, JsonNode json, String what) {
    for (var name : json.propertyNames()) {
      if (fields.contains(name)) continue;
      throw new IllegalArgumentException("%s has no field \"%s\"".formatted(what, name));
    }
  }

  private static String text(JsonNode json, String field) {
    if (!json.has(field)) throw new IllegalArgumentException("\"%s\" is missing".formatted(field));
    if (json.path(field).isString()) return json.path(field).asString();
    throw new IllegalArgumentException("\"%s\" must be text".formatted(field));
  }

  private static List<TestCase> tests(JsonNode json, String field) {
    if (!json.has(field)) throw new IllegalArgumentException("\"%s\" is missing".formatted(field));
    if (!(json.get(field) instanceof ArrayNode all)) {
      throw new IllegalArgumentException("\"%s\" must be a list of tests".formatted(field));
    }
    var tests = new ArrayList<TestCase>();
    for (var test : all) {
      var what = "%s test %d".formatted(field, tests.size() + 1);
      only(TEST_FIELDS, test, what);
      if (!(test.get("arguments") instanceof ArrayNode arguments)) {
        throw new IllegalArgumentException(what + " has no list of \"arguments\"");
      }
      if (!test.has("expected")) throw new IllegalArgumentException(what + " has no \"expected\"");
      tests.add(new TestCase(arguments, test.get("expected")));
    }
    return tests;
  }

  List<TestCase> tests() {
    return Stream.concat(shown.stream(), hidden.stream()).toList();
  }

  Task task() {
    return new Task(CodeEnv.NAME, id, json());
  }

  private ObjectNode json() {
    var json = Json.object().put("id", id).put("prompt", prompt).put("function", function);
    json.putArray("shown").addAll(shown.stream().map(TestCase::json).toList());
    json.putArray("hidden").addAll(hidden.stream().map(TestCase::json).toList());
    return json;
  }
}

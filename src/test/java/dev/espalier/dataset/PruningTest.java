package dev.espalier.dataset;

import static dev.espalier.dataset.Traffic.example;
import static dev.espalier.dataset.Traffic.message;
import static dev.espalier.dataset.Traffic.messages;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.store.Example;
import dev.espalier.store.PruningRule;
import dev.espalier.store.PruningRule.Part;
import dev.espalier.store.PruningRules;
import dev.espalier.store.StoreException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ArrayNode;

class PruningTest {
  private static final long SEED = Long.getLong("seed", 9L);
  private static final String RULES =
      "You are the assistant of a hotel.\nNever promise a discount. ";

  @Test
  void staticTextIsFoundAroundWhatChanges() {
    var examples = new ArrayList<Example>();
    for (int i = 0; i < 40; i++) {
      var system = RULES + "Today is day " + i + ". Answer in one short sentence.";
      examples.add(example("c" + i, system, "question " + i, "answer"));
    }
    var rules = StaticText.find(examples, 0.95, false);
    assertThat(rules.rules())
        .containsExactly(
            new PruningRule(Part.SYSTEM, RULES),
            new PruningRule(Part.SYSTEM, "Answer in one short sentence."));
    var pruned = rules.apply(examples.get(7).request());
    assertThat(pruned.request().messages().get(0).path("content").asString())
        .isEqualTo("Today is day 7. ");
    assertThat(pruned.unmatched()).isEmpty();
  }

  @Test
  void textThatTooFewShareStays() {
    var examples = new ArrayList<Example>();
    for (int i = 0; i < 20; i++) examples.add(example("" + i, i < 18 ? RULES : "-", "q" + i, "a"));
    assertThat(StaticText.find(examples, 0.95, false).rules()).isEmpty();
    assertThat(StaticText.find(examples, 0.9, false).rules()).hasSize(1);
  }

  @Test
  void aSystemMessageWithNothingLeftGoes() {
    var rules = new PruningRules(List.of(new PruningRule(Part.SYSTEM, RULES)));
    var pruned = rules.apply(example("a", RULES, "hi", "hello").request());
    assertThat(pruned.request().messages()).isEqualTo(messages(message("user", "hi")));
  }

  @Test
  void toolDescriptionsGoButToolsStay() {
    var tools =
        """
        [{"type":"function","function":{"name":"book","description":"Books a room for some nights",
          "parameters":{"type":"object","properties":{"description":{"type":"string",
          "description":"what the guest wants"}}}}}]\
        """;
    var request =
        ChatRequest.of("m", messages(message("user", "hi")), (ArrayNode) Json.parse(tools));
    var examples = List.of(new Example(request, message("assistant", "yes"), "c", "s"));
    var rules = StaticText.find(examples, 1, true);
    assertThat(rules.apply(request).request().json().get("tools").toString())
        .isEqualTo(
            """
            [{"type":"function","function":{"name":"book","parameters":{"type":"object",\
            "properties":{"description":{"type":"string"}}}}}]\
            """);
    assertThat(request.json().get("tools")).isEqualTo(Json.parse(tools));
  }

  @Test
  void aRuleThatDoesNotMatchIsReportedAndChangesNothing() {
    var rule = new PruningRule(Part.SYSTEM, RULES);
    var request = example("a", "Another prompt.", RULES, "hello").request();
    var pruned = new PruningRules(List.of(rule)).apply(request);
    assertThat(pruned.unmatched()).containsExactly(rule);
    assertThat(pruned.request()).isSameAs(request);
  }

  /// What is left with the rules' texts put back where they were is the prompt, character by
  /// character, and nothing but the system message changed.
  @Test
  void pruningRemovesExactlyItsTexts() {
    for (long seed = SEED; seed < SEED + 200; seed++) {
      var random = new Random(seed);
      var rules = new ArrayList<PruningRule>();
      var system = new StringBuilder();
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        var text = "rule %d %s\n".formatted(i, "é€ ".repeat(random.nextInt(5)));
        if (random.nextInt(4) > 0) system.append(text);
        system.append(random.nextInt(100)).append(' ');
        rules.add(new PruningRule(Part.SYSTEM, text));
      }
      var request = example("c", system.toString(), "rule 1 ", "a").request();
      var before = request.json().deepCopy();
      var pruned = new PruningRules(rules).apply(request);
      assertThat(request.json()).as("seed %d", seed).isEqualTo(before);

      var left = pruned.request().messages().get(0).path("content").asString();
      for (var rule : rules.reversed()) {
        if (pruned.unmatched().contains(rule)) continue;
        left = putBack(left, rule.text(), system.toString(), rules, pruned.unmatched());
      }
      assertThat(left).as("seed %d", seed).isEqualTo(system.toString());
      assertThat(pruned.request().messages().get(1)).isEqualTo(request.messages().get(1));
      assertThat(pruned.unmatched())
          .as("seed %d", seed)
          .allMatch(rule -> !system.toString().contains(rule.text()));
    }
  }

  private static String putBack(
      String left,
      String text,
      String system,
      List<PruningRule> rules,
      List<PruningRule> unmatched) {
    var before = system;
    for (var rule : rules) {
      if (rule.text().equals(text)) break;
      if (!unmatched.contains(rule)) before = before.replaceFirst(rule.text(), "");
    }
    int at = before.indexOf(text);
    return left.substring(0, at) + text + left.substring(at);
  }

  @Test
  void rulesSurviveTheirJsonAndTheirFile(@TempDir Path adapter) {
    var rules =
        new PruningRules(
            List.of(
                new PruningRule(Part.SYSTEM, "a \"quoted\"\ntext"),
                new PruningRule(Part.TOOL_DESCRIPTION, "é")));
    assertThat(PruningRules.fromJson(rules.toJson())).isEqualTo(rules);
    assertThat(PruningRules.load(adapter)).isEqualTo(PruningRules.NONE);
    rules.save(adapter);
    assertThat(PruningRules.load(adapter)).isEqualTo(rules);
    assertThatThrownBy(
            () -> PruningRules.fromJson("{\"rules\":[{\"part\":\"user\",\"text\":\"a\"}]}"))
        .isInstanceOf(StoreException.class)
        .hasMessageStartingWith("unreadable pruning rules");
    assertThatThrownBy(() -> PruningRules.fromJson("{")).isInstanceOf(StoreException.class);
    assertThatThrownBy(() -> PruningRules.fromJson("{}")).isInstanceOf(StoreException.class);
  }
}

package dev.espalier.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What jinja2 renders, character by character.
///
/// `publicTemplates` reads the templates of public models beside the repository, in
/// `../shared/data/chat-templates` or under the folder that `ESPALIER_SHARED` names, and is skipped
/// where they are absent. `ownCases` are made by `src/test/python/make_template_cases.py`.
class ReferenceTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final LocalDateTime PUBLIC_NOW = LocalDateTime.of(2026, 1, 15, 12, 0);
  private static final LocalDateTime OWN_NOW = LocalDateTime.of(2026, 1, 5, 9, 7, 3, 45_000);

  @TestFactory
  Stream<DynamicTest> publicTemplates() {
    var folder = shared().resolve("data", "chat-templates");
    if (!Files.isDirectory(folder)) {
      abort("no reference renderings at " + folder + ": set ESPALIER_SHARED");
    }
    var expected = JSON.readTree(folder.resolve("expected.json").toFile());
    var conversations = JSON.readTree(folder.resolve("conversations.json").toFile());
    var tests = new ArrayList<DynamicTest>();
    for (var template : JSON.readTree(folder.resolve("templates.json").toFile()).properties()) {
      var compiled = Template.compile(template.getValue().stringValue());
      for (var conversation : conversations) {
        var name = conversation.path("name").stringValue();
        var variables = JSON.createObjectNode().put("bos_token", "<BOS>").put("eos_token", "<EOS>");
        variables.setAll((ObjectNode) conversation.path("ctx"));
        var reference = expected.path(template.getKey()).path(name);
        tests.add(
            dynamicTest(
                template.getKey() + " " + name,
                () -> assertReference(reference, () -> compiled.render(variables, PUBLIC_NOW))));
      }
    }
    assertThat(tests).hasSizeGreaterThan(300);
    return tests.stream();
  }

  private static Path shared() {
    var named = System.getProperty("ESPALIER_SHARED", System.getenv("ESPALIER_SHARED"));
    return named == null ? Path.of("..", "shared") : Path.of(named);
  }

  @TestFactory
  List<DynamicTest> ownCases() throws Exception {
    var tests = new ArrayList<DynamicTest>();
    try (var cases = ReferenceTest.class.getResourceAsStream("/template/cases.json")) {
      for (var one : JSON.readTree(cases)) {
        tests.add(dynamicTest(one.path("name").stringValue(), () -> assertOwn(one)));
      }
    }
    assertThat(tests).hasSizeGreaterThan(200);
    return tests;
  }

  private static void assertOwn(JsonNode one) {
    var variables = (ObjectNode) one.path("variables");
    var template = one.path("template").stringValue();
    assertReference(one, () -> Template.compile(template).render(variables, OWN_NOW));
  }

  private interface Rendering {
    String text();
  }

  private static void assertReference(JsonNode reference, Rendering rendering) {
    if (reference.has("error")) {
      assertThatThrownBy(rendering::text).isInstanceOf(TemplateException.class);
    } else {
      assertThat(rendering.text()).isEqualTo(reference.path("text").stringValue());
    }
  }
}

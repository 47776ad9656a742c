package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.template.Template;
import dev.espalier.template.TemplateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `espalier render`: a raw look at what a chat template makes of conversations.
@Command(
    name = "render",
    description = "Shows what a chat template makes of conversations.",
    mixinStandardHelpOptions = true)
final class RenderCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--template", required = true, description = "The Jinja text of the template.")
  private Path template = Path.of("");

  @Option(
      names = "--conversations",
      required = true,
      description = "A JSON list of {\"name\": ..., \"ctx\": {the template's variables}}.")
  private Path conversations = Path.of("");

  @Option(
      names = "--now",
      description = "The time the template is told, such as 2026-01-15T12:00:00 (default: now).")
  private @Nullable LocalDateTime now;

  @Option(
      names = "--bos",
      description = "Its bos_token, where ctx has none (default: ${DEFAULT-VALUE}).")
  private String bos = "<BOS>";

  @Option(
      names = "--eos",
      description = "Its eos_token, where ctx has none (default: ${DEFAULT-VALUE}).")
  private String eos = "<EOS>";

  @Option(
      names = "--json",
      description = "One JSON object a line: {\"name\", \"text\"} or {\"name\", \"error\"}.")
  private boolean json;

  @Override
  public Integer call() {
    var source = read(template);
    var list = conversations();
    var time = now == null ? LocalDateTime.now(ZoneId.systemDefault()) : now;
    for (var conversation : list) {
      show(conversation.path("name").asString(), source, variables(conversation), time);
    }
    out().flush();
    return 0;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + file + " as UTF-8 text", e);
    }
  }

  private JsonNode conversations() {
    JsonNode list;
    try {
      list = Json.parse(read(conversations));
    } catch (JacksonException e) {
      throw new IllegalArgumentException(
          conversations + " is not JSON: " + e.getOriginalMessage(), e);
    }
    if (!list.isArray()) throw malformed("it is not a list");
    for (int i = 0; i < list.size(); i++) {
      if (!list.get(i).path("name").isString() || !list.get(i).path("ctx").isObject()) {
        throw malformed("entry " + i + " is not {\"name\": TEXT, \"ctx\": OBJECT}");
      }
    }
    return list;
  }

  private IllegalArgumentException malformed(String what) {
    return new IllegalArgumentException(conversations + " holds no conversations: " + what);
  }

  private ObjectNode variables(JsonNode conversation) {
    var variables = Json.object().put("bos_token", bos).put("eos_token", eos);
    return variables.setAll((ObjectNode) conversation.path("ctx"));
  }

  /// A template that fails for one conversation, or for all, is a result and not an error of ours.
  private void show(String name, String source, ObjectNode variables, LocalDateTime time) {
    var line = Json.object().put("name", name);
    try {
      line.put("text", Template.compile(source).render(variables, time));
    } catch (TemplateException e) {
      line.put("error", e.getMessage());
    }
    if (json) {
      out().println(line);
      return;
    }
    out().println("=== " + name);
    out().println(line.path(line.has("text") ? "text" : "error").asString());
  }

  private PrintWriter out() {
    return Objects.requireNonNull(spec).commandLine().getOut();
  }
}

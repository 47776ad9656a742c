package dev.espalier.chat;

import dev.espalier.template.Template;
import dev.espalier.template.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What a model folder says about chatting, beside its `tokenizer.json`.
///
/// @param templates by name, in the file's order; one without a name is "default"
/// @param sources the templates' text, by the same names
/// @param specials `bos_token`, `eos_token` and the like, as the templates read them
/// @param stops the ids that end a turn
record FormatFiles(
    Map<String, Template> templates,
    Map<String, String> sources,
    ObjectNode specials,
    Set<Integer> stops) {

  /// @throws IllegalArgumentException if a file is unreadable, or there is no template or stop
  ///   token
  static FormatFiles read(Path dir, Tokenizer tokenizer) {
    var config = json(dir.resolve("tokenizer_config.json"));
    var sources = sources(dir, config);
    var templates = new LinkedHashMap<String, Template>();
    sources.forEach((name, text) -> templates.put(name, compile(dir, name, text)));
    var specials = specials(config);
    return new FormatFiles(templates, sources, specials, stops(dir, tokenizer, specials));
  }

  private static Map<String, String> sources(Path dir, JsonNode config) {
    var sources = new LinkedHashMap<String, String>();
    var file = dir.resolve("chat_template.jinja");
    var inline = config.path("chat_template");
    if (Files.exists(file)) {
      sources.put("default", text(file)); // newer folders keep it here; it goes before the config's
    } else if (inline.isString()) {
      sources.put("default", inline.asString());
    }
    for (var one : inline) {
      sources.putIfAbsent(one.path("name").asString(""), one.path("template").asString(""));
    }
    if (sources.isEmpty()) {
      throw new IllegalArgumentException(
          dir + " has no chat template: put one in chat_template.jinja");
    }
    return sources;
  }

  private static Template compile(Path dir, String name, String text) {
    try {
      return Template.compile(text);
    } catch (TemplateException e) {
      throw new IllegalArgumentException(
          "the chat template \"%s\" of %s: %s".formatted(name, dir, e.getMessage()), e);
    }
  }

  private static ObjectNode specials(JsonNode config) {
    var specials = Json.object();
    for (var field : config.properties()) {
      if (!field.getKey().endsWith("_token")) continue;
      var token = field.getValue();
      var text = token.isObject() ? token.path("content") : token;
      if (text.isString()) specials.put(field.getKey(), text.asString());
    }
    return specials;
  }

  private static Set<Integer> stops(Path dir, Tokenizer tokenizer, ObjectNode specials) {
    var stops = new LinkedHashSet<Integer>();
    for (var file : new String[] {"generation_config.json", "config.json"}) {
      var eos = json(dir.resolve(file)).path("eos_token_id");
      if (eos.isInt()) stops.add(eos.asInt());
      for (var id : eos) stops.add(id.asInt(-1));
    }
    var named = tokenizer.id(specials.path("eos_token").asString(""));
    if (named != null) stops.add(named);
    for (int stop : stops) {
      if (stop < 0 || stop >= tokenizer.size()) {
        throw new IllegalArgumentException(
            "the eos_token_id %d of %s is outside its vocabulary".formatted(stop, dir));
      }
    }
    if (stops.isEmpty()) {
      throw new IllegalArgumentException(
          dir + " names no token that ends a turn: set eos_token_id in generation_config.json");
    }
    return Set.copyOf(stops);
  }

  private static JsonNode json(Path file) {
    if (!Files.exists(file)) return Json.object();
    try {
      return Json.parse(text(file));
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
    }
  }
}

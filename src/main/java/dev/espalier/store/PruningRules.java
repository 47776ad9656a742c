package dev.espalier.store;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// The pruning rules of an adapter, applied in order to what it is trained on and to every request
/// that it answers.
public record PruningRules(List<PruningRule> rules) {
  public static final PruningRules NONE = new PruningRules(List.of());

  /// The file in an adapter's folder.
  public static final String FILE = "espalier.json";

  /// A pruned request.
  ///
  /// @param request what is left; the very request that came in where no rule matched
  /// @param unmatched rules whose text the request does not have: to be counted and shown, because
  ///   the adapter then sees a prompt unlike those it learned from
  public record Pruned(ChatRequest request, List<PruningRule> unmatched) {}

  public PruningRules {
    rules = List.copyOf(rules);
  }

  /// Removes exactly the rules' texts; a system message of which nothing is left goes too.
  public Pruned apply(ChatRequest request) {
    var unmatched = new ArrayList<PruningRule>();
    var pruned = request.json();
    for (var rule : rules) {
      var next =
          switch (rule.part()) {
            case SYSTEM -> withoutText(pruned, rule.text());
            case TOOL_DESCRIPTION -> withoutDescription(pruned, rule.text());
          };
      if (next == null) unmatched.add(rule);
      else pruned = next;
    }
    boolean untouched = unmatched.size() == rules.size();
    return new Pruned(untouched ? request : new ChatRequest(pruned), unmatched);
  }

  private static @Nullable ObjectNode withoutText(ObjectNode request, String text) {
    var messages = (ArrayNode) request.get("messages");
    for (int i = 0; i < messages.size(); i++) {
      var role = messages.get(i).path("role").asString("");
      if (!role.equals("system") && !role.equals("developer")) continue;
      var content = cut(messages.get(i).path("content"), text);
      if (content == null) continue;
      var left = messages.deepCopy();
      if (content.isString() && content.asString().isBlank() && left.size() > 1) left.remove(i);
      else ((ObjectNode) left.get(i)).set("content", content);
      return with(request, "messages", left);
    }
    return null;
  }

  /// The content, a string or an array of parts, without the text's first occurrence.
  private static @Nullable JsonNode cut(JsonNode content, String text) {
    if (content.isString()) {
      var whole = content.asString();
      int at = whole.indexOf(text);
      if (at < 0) return null;
      return StringNode.valueOf(whole.substring(0, at) + whole.substring(at + text.length()));
    }
    for (int i = 0; i < content.size(); i++) {
      var left = cut(content.path(i).path("text"), text);
      if (left == null) continue;
      var parts = (ArrayNode) content.deepCopy();
      ((ObjectNode) parts.get(i)).set("text", left);
      return parts;
    }
    return null;
  }

  private static @Nullable ObjectNode withoutDescription(ObjectNode request, String text) {
    if (!(request.get("tools") instanceof ArrayNode tools)) return null;
    var left = tools.deepCopy();
    return removeDescription(left, text) ? with(request, "tools", left) : null;
  }

  private static boolean removeDescription(JsonNode node, String text) {
    boolean removed = false;
    if (node instanceof ObjectNode object) {
      var description = object.path("description");
      if (description.isString() && description.asString().equals(text)) {
        object.remove("description");
        removed = true;
      }
    }
    for (var child : node) removed |= removeDescription(child, text);
    return removed;
  }

  private static ObjectNode with(ObjectNode json, String field, JsonNode value) {
    var copy = Json.object();
    copy.setAll(json);
    copy.set(field, value);
    return copy;
  }

  /// Writes the rules into an adapter's PEFT folder, beside what PEFT reads.
  public void save(Path adapter) {
    try {
      Files.writeString(adapter.resolve(FILE), toJson() + "\n");
    } catch (IOException e) {
      throw new StoreException("cannot write the pruning rules into " + adapter, e);
    }
  }

  /// The rules of an adapter's folder; none where the file is not there.
  ///
  /// @throws StoreException if the file is there but cannot be read
  public static PruningRules load(Path adapter) {
    try {
      return fromJson(Files.readString(adapter.resolve(FILE)));
    } catch (NoSuchFileException none) {
      return NONE;
    } catch (IOException e) {
      throw new StoreException("cannot read the pruning rules of " + adapter, e);
    }
  }

  /// The rules as JSON, the form in which an adapter keeps them: `{"rules": [{"part", "text"}]}`.
  public String toJson() {
    var json = Json.object();
    var array = json.putArray("rules");
    for (var rule : rules) {
      var part = rule.part().name().toLowerCase(Locale.ROOT);
      array.addObject().put("part", part).put("text", rule.text());
    }
    return json.toString();
  }

  /// Reads what [#toJson] wrote.
  ///
  /// @throws StoreException if it is not that
  public static PruningRules fromJson(String json) {
    try {
      var rules = new ArrayList<PruningRule>();
      var array = Json.parse(json).required("rules");
      for (var rule : array) {
        UnaryOperator<String> field = name -> rule.required(name).asString();
        var part = PruningRule.Part.valueOf(field.apply("part").toUpperCase(Locale.ROOT));
        rules.add(new PruningRule(part, field.apply("text")));
      }
      return new PruningRules(rules);
    } catch (JacksonException | IllegalArgumentException e) {
      throw new StoreException("unreadable pruning rules: " + json, e);
    }
  }
}

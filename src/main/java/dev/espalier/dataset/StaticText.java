package dev.espalier.dataset;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Message;
import dev.espalier.store.Example;
import dev.espalier.store.PruningRule;
import dev.espalier.store.PruningRule.Part;
import dev.espalier.store.PruningRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// Finds prompt text that (nearly) every example has: it tells the trained adapter nothing, and
/// costs tokens in every request.
public final class StaticText {
  /// Between sentences and between lines, so that a date in a line costs that sentence only.
  private static final Pattern BOUNDARY = Pattern.compile("(?<=\\n)(?!\\n)|(?<=[.!?] )");

  /// Shorter texts save little, and might stand anywhere.
  private static final int SHORTEST = 24;

  private final List<Example> examples;
  private final double needed;

  private StaticText(List<Example> examples, double coverage) {
    this.examples = examples;
    this.needed = coverage * examples.size();
  }

  /// Rules for the static text of the examples' system messages.
  ///
  /// @param coverage the fraction of examples that must have a text, 0.95 say
  /// @param toolDescriptions whether the descriptions of tools may go too
  public static PruningRules find(
      List<Example> examples, double coverage, boolean toolDescriptions) {
    if (!(coverage > 0 && coverage <= 1)) {
      throw new IllegalArgumentException("coverage must be above 0 and at most 1: " + coverage);
    }
    var text = new StaticText(examples, coverage);
    var rules = new ArrayList<>(text.systemRules());
    if (toolDescriptions) rules.addAll(text.descriptionRules());
    return new PruningRules(rules);
  }

  private List<PruningRule> systemRules() {
    var systems = examples.stream().map(StaticText::systems).toList();
    var counts = new HashMap<String, Integer>();
    var whole = new LinkedHashMap<String, Integer>();
    for (var texts : systems) {
      for (var text : texts) whole.merge(text, 1, Integer::sum);
      var pieces = new HashSet<String>();
      for (var text : texts) pieces.addAll(List.of(BOUNDARY.split(text, -1)));
      for (var piece : pieces) counts.merge(piece, 1, Integer::sum);
    }
    var found = new ArrayList<String>();
    for (var text : byCount(whole)) {
      for (var run : runs(text, counts)) {
        if (found.stream().noneMatch(other -> other.contains(run)) && isShared(run, systems)) {
          found.add(run);
        }
      }
    }
    return found.stream().map(text -> new PruningRule(Part.SYSTEM, text)).toList();
  }

  /// The longest stretches of a text that are made of shared pieces only.
  private List<String> runs(String text, Map<String, Integer> counts) {
    var runs = new ArrayList<String>();
    var run = new StringBuilder();
    for (var piece : BOUNDARY.split(text, -1)) {
      if (counts.getOrDefault(piece, 0) >= needed) {
        run.append(piece);
        continue;
      }
      runs.add(run.toString());
      run.setLength(0);
    }
    runs.add(run.toString());
    return runs.stream().filter(r -> r.strip().length() >= SHORTEST).toList();
  }

  private boolean isShared(String text, List<Set<String>> systems) {
    var having = systems.stream().filter(texts -> texts.stream().anyMatch(t -> t.contains(text)));
    return having.count() >= needed;
  }

  private List<PruningRule> descriptionRules() {
    var counts = new LinkedHashMap<String, Integer>();
    for (var example : examples) {
      var descriptions = new HashSet<String>();
      var tools = example.request().tools();
      if (tools != null) collect(tools, descriptions);
      for (var description : descriptions) counts.merge(description, 1, Integer::sum);
    }
    return counts.entrySet().stream()
        .filter(entry -> entry.getValue() >= needed)
        .map(Map.Entry::getKey)
        .sorted()
        .map(text -> new PruningRule(Part.TOOL_DESCRIPTION, text))
        .toList();
  }

  private static void collect(JsonNode node, Set<String> descriptions) {
    var description = node.path("description");
    if (description.isString() && !description.asString().isEmpty()) {
      descriptions.add(description.asString());
    }
    for (var child : node) collect(child, descriptions);
  }

  private static List<String> byCount(Map<String, Integer> counts) {
    return counts.entrySet().stream()
        .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
        .limit(3) // the rest says the same or is not shared
        .map(Map.Entry::getKey)
        .toList();
  }

  /// The texts of its system messages.
  static Set<String> systems(Example example) {
    var texts = new HashSet<String>();
    for (var message : example.request().messages()) {
      if (ChatRequest.message(message) instanceof Message.System system) texts.add(system.text());
    }
    return texts;
  }
}

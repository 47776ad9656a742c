package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.Turn;
import dev.espalier.pretrain.Conversation.User;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Replaces values of a dialogue by random ones, the same everywhere in it.
///
/// With a hundred cities in ten thousand dialogues a model memorises the cities; with a new city in
/// each dialogue it has to copy. A value is replaced only if every call that carries it can still
/// be read off the turns before.
final class ValueSwap {
  private static final Pattern FIXED =
      Pattern.compile("\\d{4}-\\d\\d-\\d\\d|\\d?\\d:\\d\\d.*|True|False|dontcare|.{0,2}|\\d{1,2}");

  private final Words words;

  ValueSwap(Words words) {
    this.words = words;
  }

  /// The turns with each replaceable value replaced at the given rate.
  List<Turn> apply(List<Turn> turns, List<Tool> tools, double rate, Dice dice) {
    var swaps = new HashMap<String, String>();
    for (var value : candidates(turns, tools)) {
      if (dice.chance(rate) && readable(turns, value) && !abbreviated(turns, value)) {
        swaps.put(value.toLowerCase(Locale.ROOT), words.alike(value, dice));
      }
    }
    if (swaps.isEmpty()) return turns;
    var longestFirst =
        swaps.keySet().stream()
            .sorted(Comparator.comparingInt(String::length).reversed().thenComparing(v -> v))
            .toList();
    var pattern = bounded(longestFirst);
    return Rewrite.all(
        turns, text -> pattern.matcher(text).replaceAll(match -> replacement(match, swaps)));
  }

  private static String replacement(MatchResult match, Map<String, String> swaps) {
    var found = match.group();
    var swap = swaps.get(found.toLowerCase(Locale.ROOT));
    boolean lower = found.equals(found.toLowerCase(Locale.ROOT));
    return java.util.regex.Matcher.quoteReplacement(
        swap == null ? found : lower ? swap.toLowerCase(Locale.ROOT) : swap);
  }

  private static Pattern bounded(List<String> values) {
    var any = values.stream().map(Pattern::quote).collect(Collectors.joining("|"));
    return Pattern.compile(
        "(?<![A-Za-z0-9-])(?:" + any + ")(?![A-Za-z0-9])", Pattern.CASE_INSENSITIVE);
  }

  /// The values of calls, and those of results that somebody mentions.
  private static Set<String> candidates(List<Turn> turns, List<Tool> tools) {
    var choices = new LinkedHashSet<String>();
    for (var tool : tools) {
      for (var argument : tool.arguments()) choices.addAll(argument.choices());
    }
    var said = said(turns);
    var out = new LinkedHashSet<String>();
    for (var turn : turns) {
      switch (turn) {
        case Call call -> call.arguments().values().forEach(value -> out.add(value.toString()));
        case Result result -> {
          for (var row : Json.parse(result.text())) {
            for (var cell : row) {
              if (said.contains(cell.asString("").toLowerCase(Locale.ROOT)))
                out.add(cell.asString());
            }
          }
        }
        case System _, User _, Say _ -> {}
      }
    }
    out.removeIf(value -> choices.contains(value) || FIXED.matcher(value).matches());
    return out;
  }

  private static String said(List<Turn> turns) {
    var out = new StringBuilder();
    for (var turn : turns) {
      if (turn instanceof User(var text)) out.append(text).append('\n');
      if (turn instanceof Say(var text)) out.append(text).append('\n');
    }
    return out.toString().toLowerCase(Locale.ROOT);
  }

  /// Whether every call with this value has it verbatim in a turn before.
  static boolean readable(List<Turn> turns, String value) {
    var lower = value.toLowerCase(Locale.ROOT);
    boolean seen = false;
    for (var turn : turns) {
      switch (turn) {
        case User(var text) -> seen |= mentions(text, lower);
        case Say(var text) -> seen |= mentions(text, lower);
        case Result(var text) -> seen |= mentions(text, lower);
        case Call call -> {
          if (!seen && call.arguments().containsValue(value)) return false;
        }
        case System _ -> {}
      }
      if (seen) return true;
    }
    return true;
  }

  private static boolean mentions(String text, String lower) {
    var here = text.toLowerCase(Locale.ROOT);
    for (int at = here.indexOf(lower); at >= 0; at = here.indexOf(lower, at + 1)) {
      int end = at + lower.length();
      boolean opens = at == 0 || !Character.isLetterOrDigit(here.charAt(at - 1));
      boolean closes = end == here.length() || !Character.isLetterOrDigit(here.charAt(end));
      if (opens && closes) return true;
    }
    return false;
  }

  /// Whether somebody says a part of the value: "Aria" for "Aria Fine Dining".
  private static boolean abbreviated(List<Turn> turns, String value) {
    if (!value.contains(" ")) return false;
    var rest = said(turns).replace(value.toLowerCase(Locale.ROOT), "");
    var parts = new ArrayList<>(List.of(value.toLowerCase(Locale.ROOT).split("[^a-z0-9]+")));
    parts.removeIf(part -> part.length() < 4);
    return parts.stream().anyMatch(rest::contains);
  }
}

package dev.espalier.pretrain;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes system prompts: who the assistant is, which day it is, what holds when nobody says
/// otherwise, and rules of every length that change nothing.
final class SystemPrompt {
  private static final List<String> ROLES =
      List.of(
          "You are the [assistant|helpful assistant|agent|receptionist] of {name}, {trade}.",
          "You work for {name}, {trade}.",
          "You are {agent}, the assistant at {name}.",
          "This is the [chat|help line|front desk] of {name}, {trade}.",
          "You help the customers of {trade}[ called {name}|].",
          "[Assistant|Agent] for {name} ({trade}).",
          "You answer [messages|customers] for {trade} and call tools to do what they ask.",
          "You are a helpful assistant.");
  private static final List<String> DAYS =
      List.of(
          "Today is {weekday}, {date}.",
          "Today is {date}, a {weekday}.",
          "Today's date is {date} ({weekday}).",
          "Current date: {date} ({weekday}).",
          "It is {weekday}, {date}.",
          "Date: {weekday} {date}.");
  private static final List<String> DEFAULTS =
      List.of(
          "If nobody says otherwise, the {label} is {v}.",
          "The default {label} is {v}.",
          "Unless the customer says otherwise, use {v} as the {label}.",
          "When the {label} is not mentioned, take {v}.",
          "Assume the {label} {v} if it is not given.");

  private static final List<String> PROPER =
      List.of(
          "In calls, names have capitals even if customers do not type them.",
          "Capitalise all names before you pass them on.",
          "Names start with capital letters, always.",
          "Tools take names in title case.",
          "Names: Like This, not like this.");

  private final List<String> rules = Lines.of("rules.txt");
  private final Words words;

  SystemPrompt(Words words) {
    this.words = words;
  }

  /// The system prompt of a shop; null where none is needed and none is wanted.
  @Nullable String write(Shop shop, Dice dice) {
    var sentences = new ArrayList<String>();
    var today = shop.today();
    if (today != null) {
      sentences.add(
          Phrases.fill(
              dice.pick(DAYS), dice, "weekday", Speech.weekday(today), "date", today.toString()));
    }
    for (var entry : shop.defaults().entrySet()) {
      var slot = slot(shop, entry.getKey());
      sentences.add(
          Phrases.fill(
              dice.pick(DEFAULTS), dice, "label", slot.label(), "v", entry.getValue().toString()));
    }
    for (var fact : shop.facts()) sentences.add(fact.statement());
    if (shop.proper()) sentences.add(dice.pick(PROPER));
    if (sentences.isEmpty() && dice.chance(0.4)) return null;
    for (var rule : dice.some(rules, dice.oneOf(0, 0, 1, 2, 3, 5, 8, 12))) {
      sentences.add(Phrases.fill(rule, dice));
    }
    var mixed = dice.shuffled(sentences);
    var role =
        Phrases.fill(
            dice.pick(ROLES),
            dice,
            "name",
            shop.name(),
            "trade",
            shop.trade(),
            "agent",
            words.name(dice));
    if (dice.chance(0.85)) mixed.add(0, role);
    if (mixed.isEmpty()) return null;
    return String.join(dice.chance(0.85) ? " " : "\n", mixed);
  }

  private static Slot slot(Shop shop, String name) {
    for (var skill : shop.skills()) {
      for (var slot : skill.slots()) {
        if (slot.name().equals(name)) return slot;
      }
    }
    throw new IllegalStateException("no argument " + name);
  }
}

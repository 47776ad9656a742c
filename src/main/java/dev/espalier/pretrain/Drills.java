package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.Turn;
import dev.espalier.pretrain.Conversation.User;
import dev.espalier.pretrain.Tool.Argument;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Plain copying: repeat, spell, pick out, look up, with words of the whole vocabulary.
final class Drills {
  private final Words words;
  private final Values values;
  private final Slots slots;

  Drills(Words words, Values values, Slots slots) {
    this.words = words;
    this.values = values;
    this.slots = slots;
  }

  Conversation draw(Dice dice) {
    return dice.chance(0.3) ? said(dice) : called(dice);
  }

  /// Something of any kind to copy.
  private String thing(Dice dice) {
    return switch (dice.below(9)) {
      case 0 -> words.word(dice);
      case 1 -> words.names(dice, dice.between(1, 3));
      case 2 -> Values.code(dice.oneOf("A99", "AA-999", "99-A", "A9A9", "AAA9999"), dice);
      case 3 -> Words.digits(dice, dice.between(2, 10));
      case 4 -> values.text(dice);
      case 5 -> values.person(dice);
      case 6 -> values.title(dice);
      default -> {
        var slot = slots.draw(dice);
        yield slot.kind() == Kind.FLAG
            ? words.word(dice)
            : values.draw(slot, null, dice).toString();
      }
    };
  }

  /// The assistant says it.
  private Conversation said(Dice dice) {
    var turns = new ArrayList<Turn>();
    if (dice.chance(0.4)) {
      turns.add(
          new System(
              dice.oneOf(
                  "Answer with the value only.",
                  "You repeat what you are told.",
                  "Short answers.",
                  "You are a careful clerk who copies exactly.")));
    }
    int task = dice.below(8);
    for (int i = dice.between(3, 8); i > 0; i--) {
      if (dice.chance(0.15)) task = dice.below(8);
      exchange(task, turns, dice);
    }
    return new Conversation(List.of(), turns);
  }

  private void exchange(int task, List<Turn> turns, Dice dice) {
    var thing = thing(dice);
    switch (task) {
      case 0 ->
          add(
              turns,
              dice.oneOf(
                      "Repeat: ",
                      "Repeat after me: ",
                      "Say ",
                      "Say this: ",
                      "Copy this: ",
                      "Echo: ")
                  + thing,
              thing);
      case 1 ->
          add(
              turns,
              dice.oneOf("Repeat \"", "Say \"", "What is in quotes here: \"", "Copy \"")
                  + thing
                  + "\"",
              thing);
      case 2 -> {
        var word = words.word(dice);
        add(
            turns,
            dice.oneOf("Spell ", "How do you spell ", "Spell the word ") + word,
            String.join(" ", word.split("")));
      }
      case 3 -> {
        var label = words.word(dice);
        var other = words.word(dice);
        var second = thing(dice);
        var text = "The " + label + " is " + thing + " and the " + other + " is " + second + ". ";
        boolean first = dice.chance(0.5);
        add(
            turns,
            text
                + dice.oneOf("What is the ", "Which is the ", "Give me the ")
                + (first ? label : other)
                + "?",
            first ? thing : second);
      }
      case 4 -> {
        var record = new LinkedHashMap<String, Object>();
        for (int i = dice.between(2, 4); i > 0; i--) record.put(words.word(dice), thing(dice));
        var key = dice.pick(List.copyOf(record.keySet()));
        add(
            turns,
            Records.write(record, dice)
                + "\n"
                + dice.oneOf("What is ", "Value of ", "Read out ")
                + key
                + "?",
            String.valueOf(record.get(key)));
      }
      case 6 -> {
        var name = words.names(dice, dice.between(1, 3));
        add(
            turns,
            dice.oneOf("With capitals: ", "Title case: ", "Capitalise ", "As a name: ")
                + name.toLowerCase(Locale.ROOT),
            name);
      }
      case 5 -> {
        var code =
            Values.code(dice.oneOf("A99", "AA-999", "99-A", "A9A9", "AAA9999", "9999-A"), dice);
        var text =
            words.word(dice)
                + " "
                + words.word(dice)
                + " "
                + code
                + " "
                + words.word(dice)
                + " "
                + words.word(dice);
        add(
            turns,
            dice.oneOf("Find the code: ", "Which code is in here? ", "Extract the code from: ")
                + text,
            code);
      }
      default -> {
        var list = new ArrayList<String>();
        for (int i = dice.between(2, 5); i > 0; i--) list.add(words.word(dice));
        boolean last = dice.chance(0.5);
        add(
            turns,
            String.join(", ", list) + ". " + (last ? "Say the last one." : "Say the first one."),
            last ? list.getLast() : list.getFirst());
      }
    }
  }

  private static void add(List<Turn> turns, String user, String answer) {
    turns.add(new User(user));
    turns.add(new Say(answer));
  }

  /// A tool takes it.
  private Conversation called(Dice dice) {
    var arguments = new ArrayList<Argument>();
    var names = new ArrayList<String>();
    for (int i = dice.between(1, 3); i > 0; i--) {
      var name = words.word(dice);
      if (names.contains(name)) continue;
      names.add(name);
      arguments.add(
          new Argument(name, "string", dice.chance(0.3) ? "The " + name : "", List.of(), true));
    }
    var verb = dice.oneOf("save", "note", "remember", "write", "store", "keep", "enter", "set");
    var tool =
        new Tool(
            verb + "_" + words.word(dice),
            dice.chance(0.5) ? Words.capital(verb) + " it" : "",
            arguments);
    var turns = new ArrayList<Turn>();
    boolean proper = dice.chance(0.3);
    if (proper) turns.add(new System("Everything that is passed on has capitals."));
    for (int i = dice.between(2, 6); i > 0; i--) {
      var given = new LinkedHashMap<String, Object>();
      for (var name : names) {
        given.put(name, proper ? words.names(dice, dice.between(1, 3)) : thing(dice));
      }
      var said = spoken(verb, names, given, dice);
      turns.add(new User(proper && dice.chance(0.7) ? said.toLowerCase(Locale.ROOT) : said));
      turns.add(new Call(tool.name(), given));
      turns.add(new Result(dice.oneOf("ok", "done", Json.write(given), "{\"ok\":true}")));
      var first = given.get(names.getFirst());
      turns.add(new Say(dice.oneOf("Done.", "OK.", "Noted: " + first, "Saved " + first + ".")));
    }
    return new Conversation(List.of(tool), turns);
  }

  private static String spoken(
      String verb, List<String> names, Map<String, Object> given, Dice dice) {
    var opening =
        dice.chance(0.5)
            ? Words.capital(verb)
            : dice.oneOf(
                "Please " + verb, verb.toLowerCase(Locale.ROOT), "Now " + verb, "Can you " + verb);
    if (names.size() == 1 && dice.chance(0.7)) return opening + " " + given.get(names.getFirst());
    var parts = new ArrayList<String>();
    for (var name : dice.chance(0.5) ? names : dice.shuffled(names)) {
      parts.add(
          dice.oneOf(name + " ", name + ": ", "the " + name + " ", name + " is ")
              + given.get(name));
    }
    return opening + " " + String.join(dice.oneOf(", ", " and ", "; "), parts);
  }
}

package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.Turn;
import dev.espalier.pretrain.Conversation.User;
import dev.espalier.pretrain.Sgd.Dialogue;
import dev.espalier.pretrain.Tool.Argument;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/// Conversations made of SGD dialogues, each a little different every time it comes up.
final class SgdConversations {
  private final Sgd sgd;
  private final ValueSwap swap;

  /// @param sgd the train split as [#allowed] leaves it
  SgdConversations(Sgd sgd, Words words) {
    this.sgd = sgd;
    this.swap = new ValueSwap(words);
  }

  /// What the base model may see: without held-out services and reserved words.
  static Sgd allowed(Sgd sgd) {
    var reserved = new Reserved();
    var services = new LinkedHashMap<>(sgd.services());
    services.keySet().removeAll(Sgd.HELD_OUT);
    var dialogues =
        sgd.dialogues().stream()
            .filter(dialogue -> !dialogue.touches(Sgd.HELD_OUT))
            .filter(dialogue ->
                dialogue.turns().stream().map(Objects::toString).allMatch(reserved::allowsDialogue))
            .toList();
    return new Sgd(services, dialogues);
  }

  int size() {
    return sgd.dialogues().size();
  }

  /// A conversation of the dialogue at that place.
  Conversation draw(int index, Dice dice) {
    var dialogue = sgd.dialogues().get(index);
    var tools = tools(dialogue, dice);
    var turns = window(dialogue.turns(), dice);
    turns = fewerRows(turns, dice);
    if (dice.chance(0.7)) turns = swap.apply(turns, tools, 0.75, dice);
    if (dice.chance(0.6)) turns = DaySwap.apply(turns, dice);
    var conversation = new Conversation(tools, inSchemaOrder(turns, tools));
    if (dice.chance(0.4)) conversation = new Renaming(dice).apply(conversation);
    return new Conversation(conversation.tools(), careless(conversation.turns(), dice));
  }

  private List<Tool> tools(Dialogue dialogue, Dice dice) {
    var services = dice.shuffled(dialogue.services());
    if (dice.chance(0.25)) {
      var other = dice.pick(List.copyOf(sgd.services().keySet()));
      if (!clash(services, other)) {
        services.add(dice.below(services.size() + 1), other);
      }
    }
    boolean bare = dice.chance(0.1);
    boolean shuffled = dice.chance(0.4);
    var out = new ArrayList<Tool>();
    for (var tool : sgd.tools(services)) {
      var arguments = new ArrayList<Argument>();
      for (var argument : shuffled ? dice.shuffled(tool.arguments()) : tool.arguments()) {
        arguments.add(bare ? undescribed(argument) : argument);
      }
      out.add(new Tool(tool.name(), bare ? "" : tool.description(), arguments));
    }
    return out;
  }

  private boolean clash(List<String> services, String other) {
    var names = new HashSet<String>();
    for (var tool : sgd.tools(services)) names.add(tool.name());
    return sgd.tools(List.of(other)).stream().anyMatch(tool -> names.contains(tool.name()));
  }

  private static Argument undescribed(Argument argument) {
    return new Argument(
        argument.name(), argument.type(), "", argument.choices(), argument.required());
  }

  /// The dialogue from a later user turn on, now and then, so that call turns come early too; only
  /// where every call that could be read off the turns before still can be.
  private static List<Turn> window(List<Turn> turns, Dice dice) {
    if (turns.size() < 8 || dice.chance(0.6)) return turns;
    int start = dice.between(2, turns.size() - 4);
    while (start > 0 && !(turns.get(start) instanceof User)) start--;
    var rest = turns.subList(start, turns.size());
    for (var turn : rest) {
      if (!(turn instanceof Call call)) continue;
      for (var value : call.arguments().values()) {
        var text = value.toString();
        if (ValueSwap.readable(turns, text) && !ValueSwap.readable(rest, text)) return turns;
      }
    }
    return rest;
  }

  /// Results with one or two of their three rows, now and then: rows cost tokens that teach little.
  private static List<Turn> fewerRows(List<Turn> turns, Dice dice) {
    int rows = dice.oneOf(1, 2, 3, 3);
    if (rows == 3) return turns;
    var out = new ArrayList<Turn>();
    for (int i = 0; i < turns.size(); i++) {
      if (!(turns.get(i) instanceof Result(var text))) {
        out.add(turns.get(i));
        continue;
      }
      var all = Json.parse(text);
      var kept = Json.array();
      for (int row = 0; row < all.size(); row++) {
        if (row < rows || mentioned(all.get(row), turns.subList(i + 1, turns.size()))) {
          kept.add(all.get(row));
        }
      }
      out.add(new Result(Json.write(kept)));
    }
    return out;
  }

  private static boolean mentioned(tools.jackson.databind.JsonNode row, List<Turn> later) {
    for (var cell : row) {
      var value = cell.asString("");
      if (value.length() < 4 || value.equals("False")) continue;
      for (var turn : later) {
        var said =
            switch (turn) {
              case Say(var text) -> text.contains(value);
              case Call call -> call.arguments().containsValue(value);
              case System _, User _, Result _ -> false;
            };
        if (said) return true;
      }
    }
    return false;
  }

  /// Calls with their arguments in the order of the schema: an order that can be predicted.
  static List<Turn> inSchemaOrder(List<Turn> turns, List<Tool> tools) {
    var byName = new TreeMap<String, Tool>();
    for (var tool : tools) byName.putIfAbsent(tool.name(), tool);
    var out = new ArrayList<Turn>();
    for (var turn : turns) {
      if (turn instanceof Call call && byName.get(call.tool()) != null) {
        var arguments = new LinkedHashMap<String, Object>();
        for (var argument : byName.get(call.tool()).arguments()) {
          var value = call.arguments().get(argument.name());
          if (value != null) arguments.put(argument.name(), value);
        }
        call.arguments().forEach(arguments::putIfAbsent);
        out.add(new Call(call.tool(), arguments));
      } else {
        out.add(turn);
      }
    }
    return out;
  }

  /// The user's turns in lower case, or with slips of the keyboard, now and then.
  private static List<Turn> careless(List<Turn> turns, Dice dice) {
    if (dice.chance(0.12)) return Rewrite.users(turns, text -> text.toLowerCase(Locale.ROOT));
    if (dice.chance(0.12)) {
      var values = values(turns);
      return Rewrite.users(turns, text -> Typos.in(text, 0.06, values, dice));
    }
    return turns;
  }

  private static Set<String> values(List<Turn> turns) {
    var out = new HashSet<String>();
    for (var turn : turns) {
      if (!(turn instanceof Call call)) continue;
      for (var value : call.arguments().values()) {
        out.addAll(List.of(value.toString().toLowerCase(Locale.ROOT).split("[^a-z]+")));
      }
    }
    return out;
  }
}

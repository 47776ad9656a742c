package dev.espalier.pretrain;

import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.Turn;
import dev.espalier.pretrain.Conversation.User;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.UnaryOperator;

/// The same change made to every text of a conversation, so that it stays consistent.
final class Rewrite {
  private Rewrite() {}

  /// Changes what is said, called and returned.
  static List<Turn> all(List<Turn> turns, UnaryOperator<String> change) {
    var out = new ArrayList<Turn>();
    for (var turn : turns) {
      out.add(
          switch (turn) {
            case System system -> system;
            case User user -> new User(change.apply(user.text()));
            case Say say -> new Say(change.apply(say.text()));
            case Call call -> call(call, change);
            case Result result -> new Result(change.apply(result.text()));
          });
    }
    return out;
  }

  private static Call call(Call call, UnaryOperator<String> change) {
    var arguments = new LinkedHashMap<String, Object>();
    call.arguments()
        .forEach((name, value) ->
            arguments.put(name, value instanceof String text ? change.apply(text) : value));
    return new Call(call.tool(), arguments);
  }

  /// Changes what the user says.
  static List<Turn> users(List<Turn> turns, UnaryOperator<String> change) {
    var out = new ArrayList<Turn>();
    for (var turn : turns)
      out.add(turn instanceof User(var text) ? new User(change.apply(text)) : turn);
    return out;
  }
}

package dev.espalier.chat;

import java.util.ArrayList;
import java.util.List;

/// A model's completion, read.
///
/// The calls have no ids yet: those depend on what came before, too.
///
/// @param unparseable whether it set out to call a tool but the call cannot be read; the message
///   then holds the whole completion as text
public record Reply(Message.Assistant message, boolean unparseable) {
  /// The same without a character that was put in to keep it from being misread.
  Reply without(char cut) {
    var mark = String.valueOf(cut);
    var calls = new ArrayList<ToolCall>();
    for (var call : message.calls()) {
      calls.add(
          new ToolCall(
              call.id(), call.name().replace(mark, ""), call.arguments().replace(mark, "")));
    }
    return new Reply(new Message.Assistant(message.text().replace(mark, ""), calls), unparseable);
  }

  static Reply text(String text) {
    return new Reply(new Message.Assistant(text, List.of()), false);
  }

  static Reply unparseable(String text) {
    return new Reply(new Message.Assistant(text, List.of()), true);
  }
}

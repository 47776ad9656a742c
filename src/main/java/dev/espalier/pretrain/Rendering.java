package dev.espalier.pretrain;

import dev.espalier.chat.Tokenizer;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.System;
import dev.espalier.pretrain.Conversation.User;
import java.util.Arrays;
import java.util.Objects;

/// Conversations as token ids in the built-in chat format.
///
/// Writes directly what `chat_template.jinja` would, which a test holds it to: the interpreter is
/// too slow for a corpus of millions of turns.
final class Rendering {
  private final Tokenizer tokenizer;
  private final int tools;
  private final int system;
  private final int user;
  private final int assistant;
  private final int call;
  private final int tool;
  private final int end;

  Rendering(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.tools = id("<|tools|>");
    this.system = id("<|system|>");
    this.user = id("<|user|>");
    this.assistant = id("<|assistant|>");
    this.call = id("<|call|>");
    this.tool = id("<|tool|>");
    this.end = id(BuiltinChat.END);
  }

  private int id(String special) {
    return Objects.requireNonNull(
        tokenizer.id(special), () -> "the vocabulary has no token " + special);
  }

  /// The conversation's tokens, cut after `limit` of them.
  Document document(Conversation conversation, int limit) {
    var ids = tokenizer.encode(text(conversation));
    if (ids.length > limit) ids = Arrays.copyOf(ids, limit);
    return new Document(ids, parts(ids));
  }

  private byte[] parts(int[] ids) {
    var parts = new byte[ids.length];
    byte part = Document.PROMPT;
    for (int i = 0; i < ids.length; i++) {
      int id = ids[i];
      if (id == tools) part = Document.TOOLS;
      if (id == user) part = Document.USER;
      if (id == call) part = Document.CALL;
      if (id == system || id == tool || id == assistant) part = Document.PROMPT;
      parts[i] = part;
      if (id == assistant) part = Document.TEXT;
      if (id == end) part = Document.PROMPT;
    }
    return parts;
  }

  static String text(Conversation conversation) {
    var out = new StringBuilder();
    if (!conversation.tools().isEmpty()) {
      out.append("<|tools|>");
      for (var tool : conversation.tools()) append(out, tool);
      out.append(BuiltinChat.END);
    }
    for (var turn : conversation.turns()) {
      switch (turn) {
        case System system -> out.append("<|system|> ").append(system.text());
        case User user -> out.append("<|user|> ").append(user.text());
        case Say say -> out.append("<|assistant|> ").append(say.text());
        case Call call -> append(out.append("<|assistant|>"), call);
        case Result result -> out.append("<|tool|> ").append(result.text());
      }
      out.append(BuiltinChat.END);
    }
    return out.toString();
  }

  private static void append(StringBuilder out, Tool tool) {
    out.append("\n ").append(tool.name());
    if (!tool.description().isEmpty()) out.append(": ").append(tool.description());
    for (var argument : tool.arguments()) {
      out.append("\n - ").append(argument.name()).append(" (").append(argument.type());
      if (argument.required()) out.append(", required");
      if (!argument.choices().isEmpty()) {
        out.append(": ").append(String.join(" | ", argument.choices()));
      }
      out.append(')');
      if (!argument.description().isEmpty()) out.append(": ").append(argument.description());
    }
  }

  private static void append(StringBuilder out, Call call) {
    out.append("<|call|> ").append(call.tool());
    call.arguments()
        .forEach((name, value) -> out.append("\n ").append(name).append(": ").append(value));
  }
}

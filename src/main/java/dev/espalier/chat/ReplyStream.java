package dev.espalier.chat;

import java.util.List;

/// The text of a completion as it is sampled, without the markup of tool calls.
///
/// Hands over only what is certain to be in the final message's text: what could be the beginning
/// of a call waits until it is clear. Joined, the pieces with [#finish] are that text. Belongs to
/// one thread.
public final class ReplyStream {
  private final ToolCallSyntax syntax;
  private final StreamingDecoder decoder;
  private final int marker; // the id of the token that begins a call, or -1
  private final StringBuilder held = new StringBuilder();
  private final StringBuilder emitted = new StringBuilder();
  private boolean begun;
  private boolean calling;

  ReplyStream(ToolCallSyntax syntax, Tokenizer tokenizer) {
    this.syntax = syntax;
    this.decoder = tokenizer.streaming();
    var id = tokenizer.id(syntax.marker());
    this.marker = id == null ? -1 : id;
  }

  /// Takes the next token, which ends no turn, and returns the text that is now certain.
  public String next(int id) {
    if (calling) return "";
    if (id == marker) {
      calling = true;
      return "";
    }
    return release(decoder.next(id));
  }

  private String release(String fresh) {
    held.append(fresh);
    if (!begun && !begin()) return "";
    int certain = certain();
    var out = held.substring(0, certain);
    held.delete(0, certain);
    emitted.append(out);
    return out;
  }

  /// Whether the answer has begun: what may still be an empty thought before it waits.
  private boolean begin() {
    if ("<think></think>".startsWith(held.toString().replaceAll("\\s", ""))) return false;
    var thought = ToolCallSyntax.EMPTY_THOUGHT.matcher(held);
    if (thought.lookingAt()) held.delete(0, thought.end());
    if (syntax == ToolCallSyntax.LINES && held.charAt(0) == ' ') held.deleteCharAt(0);
    begun = true;
    return true;
  }

  /// How much of the held text no call can take back.
  private int certain() {
    return switch (syntax) {
      case NONE, LINES -> held.length();
      case LLAMA3 -> emitted.isEmpty() && looksLikeLlamaCall() ? 0 : held.length();
      case HERMES, MISTRAL -> {
        int end = marker >= 0 ? held.length() : markerStart();
        yield held.substring(0, end).stripTrailing().length(); // a call takes the space before it
      }
    };
  }

  private boolean looksLikeLlamaCall() {
    var text = held.toString().replaceAll("\\s", "");
    for (var call : List.of("{\"name\"", syntax.marker())) {
      if (text.startsWith(call) || call.startsWith(text)) return true;
    }
    return false;
  }

  /// Where the marker, or a beginning of it that the held text ends with, starts.
  private int markerStart() {
    var text = held.toString();
    for (int at = 0; at < text.length(); at++) {
      boolean whole = text.startsWith(syntax.marker(), at);
      if (whole || syntax.marker().startsWith(text.substring(at))) return at;
    }
    return text.length();
  }

  /// The rest of the text, once the completion is whole and read.
  public String finish(Reply reply) {
    var text = reply.message().text();
    return text.startsWith(emitted.toString()) ? text.substring(emitted.length()) : "";
  }
}

package dev.espalier.chat;

/// A model's completion, read.
///
/// @param unparseable whether it set out to call a tool but the call cannot be read; the message
///   then holds the whole completion as text
public record Reply(Message.Assistant message, boolean unparseable) {
  static Reply text(String text) {
    return new Reply(new Message.Assistant(text, java.util.List.of()), false);
  }

  static Reply unparseable(String text) {
    return new Reply(new Message.Assistant(text, java.util.List.of()), true);
  }
}

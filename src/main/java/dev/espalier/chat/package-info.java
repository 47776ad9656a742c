/// Messages, tool calls, completions with their token trace, `ChatModel`, remote clients,
/// tokenizer.
///
/// The JSON tree a client sent is the truth; `Message` is a view of it.
@NullMarked
package dev.espalier.chat;

import org.jspecify.annotations.NullMarked;

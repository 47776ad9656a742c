package dev.espalier.chat;

import java.util.function.Consumer;

/// Anything that answers a chat request: an adapter of ours, a remote model, a script.
///
/// Calls block and may come from many virtual threads at once.
public interface ChatModel {
  /// Answers the request.
  ///
  /// @throws ChatException if no answer could be had
  Completion complete(ChatRequest request);

  /// Answers the request and hands over the text as it is decoded, in order, on the calling thread.
  default Completion stream(ChatRequest request, Consumer<String> text) {
    var completion = complete(request);
    if (!completion.message().text().isEmpty()) text.accept(completion.message().text());
    return completion;
  }
}

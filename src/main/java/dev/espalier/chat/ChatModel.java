package dev.espalier.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.function.Supplier;

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

  /// Begins several requests as one batch, in their order.
  ///
  /// @return for each request what waits for its answer, and throws as [#complete] does; a thread
  ///   that is interrupted while it waits gives the answer up
  default List<Supplier<Completion>> completeAll(List<ChatRequest> requests) {
    var answers = new ArrayList<Supplier<Completion>>();
    for (var request : requests) {
      var answer = new FutureTask<>(() -> complete(request));
      Thread.ofVirtual().name("complete").start(answer);
      answers.add(() -> {
        try {
          return answer.get();
        } catch (ExecutionException e) {
          if (e.getCause() instanceof RuntimeException failure) throw failure;
          throw new IllegalStateException("the model failed", e.getCause());
        } catch (InterruptedException e) {
          answer.cancel(true);
          Thread.currentThread().interrupt();
          throw new ChatException(499, "the request was cancelled", e);
        }
      });
    }
    return answers;
  }
}

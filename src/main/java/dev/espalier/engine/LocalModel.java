package dev.espalier.engine;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.TokenTrace;
import dev.espalier.chat.Usage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A base model, or an adapter on it, as a chat model.
///
/// @param adapter null for the base alone
public record LocalModel(Engine engine, @Nullable Adapter adapter) implements ChatModel {
  @Override
  public Completion complete(ChatRequest request) {
    return stream(request, text -> {});
  }

  @Override
  public Completion stream(ChatRequest request, Consumer<String> text) {
    var format = engine.base().format();
    var prompt = format.prompt(request);
    var sampling = request.sampling();
    var generation = engine.generate(prompt, sampling, format.stops(), adapter);
    var reply = new Answer(format, sampling.stop(), text);
    try {
      for (var token = generation.next(); token != null; token = generation.next()) {
        if (reply.add(token)) break;
      }
    } finally {
      generation.cancel();
    }
    var message = reply.finish(request.tools());
    var finish =
        !message.calls().isEmpty()
            ? FinishReason.TOOL_CALLS
            : reply.stopped() ? FinishReason.STOP : FinishReason.LENGTH;
    var trace =
        new TokenTrace(
            prompt,
            reply.ids(),
            reply.logprobs(),
            adapter == null ? "base" : adapter.version(),
            sampling.temperature());
    return new Completion(message, finish, new Usage(prompt.length, reply.ids().length), trace);
  }
}

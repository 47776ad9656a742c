package dev.espalier.engine;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.TokenTrace;
import dev.espalier.chat.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A base model, or an adapter on it, as a chat model.
///
/// @param adapter leased for each request; null for the base alone
public record LocalModel(Engine engine, @Nullable Supplier<Lease> adapter) implements ChatModel {
  /// The base model alone.
  public static LocalModel base(Engine engine) {
    return new LocalModel(engine, null);
  }

  /// An adapter that stays loaded as long as it is asked.
  public static LocalModel of(Engine engine, Adapter adapter) {
    return new LocalModel(engine, () -> Lease.of(adapter));
  }

  @Override
  public Completion complete(ChatRequest request) {
    return stream(request, text -> {});
  }

  @Override
  public Completion stream(ChatRequest request, Consumer<String> text) {
    var generation = prepare(request);
    queue(List.of(generation));
    return answer(request, generation, text);
  }

  @Override
  public List<Supplier<Completion>> completeAll(List<ChatRequest> requests) {
    var generations = new ArrayList<Generation>();
    var answers = new ArrayList<Supplier<Completion>>();
    for (var request : requests) {
      try {
        var generation = prepare(request);
        generations.add(generation);
        answers.add(() -> answer(request, generation, text -> {}));
      } catch (ChatException e) {
        answers.add(() -> {
          throw e;
        });
      }
    }
    if (!generations.isEmpty()) queue(generations);
    return answers;
  }

  private void queue(List<Generation> generations) {
    try {
      engine.queue(generations);
    } catch (ChatException e) {
      for (var generation : generations) generation.fail(e);
      throw e;
    }
  }

  private Generation prepare(ChatRequest request) {
    var format = engine.base().format();
    var sampling = request.sampling();
    var prompt = format.prompt(request);
    var grammar = engine.grammars().of(request);
    var matcher = grammar == null ? null : grammar.matcher();
    var lease = adapter == null ? null : adapter.get();
    try {
      return engine.prepare(prompt, sampling, format.stops(), lease, matcher);
    } catch (RuntimeException e) {
      if (lease != null) lease.giveBack().run();
      throw e;
    }
  }

  private Completion answer(ChatRequest request, Generation generation, Consumer<String> text) {
    var format = engine.base().format();
    var sampling = generation.sampling;
    var prompt = generation.prompt;
    var answer = new Answer(format, sampling.stop(), text);
    try {
      for (var token = generation.next(); token != null; token = generation.next()) {
        if (answer.add(token)) break;
      }
    } finally {
      generation.cancel();
    }
    var reply = answer.finish(request, prompt);
    var finish = reply.message().calls().isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS;
    if (!answer.stopped()) finish = FinishReason.LENGTH;
    var trace =
        new TokenTrace(
            prompt,
            answer.ids(),
            answer.logprobs(),
            generation.adapter == null ? "base" : generation.adapter.version(),
            sampling.temperature(),
            sampling.topLogprobs() > 0 ? answer.likeliest() : null);
    var usage = new Usage(prompt.length, answer.ids().length);
    return new Completion(reply.message(), finish, usage, trace, reply.unparseable());
  }
}

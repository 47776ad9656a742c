package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.store.Outcome;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Answers an exchange with a model of this process, in OpenAI's format.
final class LocalAnswer {
  private static final int MOST_CHOICES = 16;
  private static final byte[] SILENCE = ": \n\n".getBytes(UTF_8);

  private final Consumer<Answer> recorder;
  private final Exchange exchange;
  private final Served served;
  private final LocalModels models;
  private final String name;
  private final CompletionJson json;
  private @Nullable OutputStream out;
  private @Nullable Transcript transcript;
  private long firstByteMs = -1;

  /// @param recorder is handed what was answered, before the client has the last of it
  LocalAnswer(
      Consumer<Answer> recorder,
      Exchange exchange,
      Served served,
      LocalModels models,
      String name) {
    this.recorder = recorder;
    this.exchange = exchange;
    this.served = served;
    this.models = models;
    this.name = name;
    this.json = new CompletionJson(exchange, id -> models.token(name, id));
  }

  /// @throws ApiError if there is no answer and nothing was sent yet
  void run(ChatRequest request, ServerResponse response) {
    try {
      var model = models.find(name);
      if (model == null) throw ApiError.unknownModel(name, models.whyNot(name));
      var requests = choices(request);
      if (exchange.wantsStream()) stream(model, requests, response);
      else plain(model, requests, response);
    } catch (ChatException e) {
      if (out == null) throw ApiError.of(e);
      breakOff(Outcome.TRUNCATED, e);
    } catch (ClientGone e) {
      breakOff(Outcome.CLIENT_GONE, e);
    } catch (RuntimeException e) {
      if (e instanceof ApiError || e instanceof CloseConnectionException) throw e;
      if (out == null) throw failed(e);
      breakOff(Outcome.TRUNCATED, e);
    }
  }

  private ApiError failed(RuntimeException e) {
    var why = e.getMessage() == null ? e : e.getMessage();
    return new ApiError(500, "model \"%s\" failed: %s".formatted(name, why), null, "model_failed");
  }

  /// One request a choice. With a seed the choices would be the same, so each gets its own.
  private static List<ChatRequest> choices(ChatRequest request) {
    request.checkFields();
    request.sampling();
    var count = request.json().path("n");
    if (count.isMissingNode() || count.isNull()) return List.of(request);
    int n = count.isInt() ? count.asInt() : 0;
    if (n < 1 || n > MOST_CHOICES) {
      throw ApiError.badRequest("n must be between 1 and " + MOST_CHOICES, "n");
    }
    var all = new ArrayList<ChatRequest>();
    for (int i = 0; i < n; i++) {
      var copy = request.json().deepCopy();
      copy.remove("n");
      if (copy.path("seed").isNumber()) copy.put("seed", copy.path("seed").asLong() + i);
      all.add(new ChatRequest(copy));
    }
    return all;
  }

  private void plain(ChatModel model, List<ChatRequest> requests, ServerResponse response) {
    var completions = Aside.run(here -> all(model, requests), () -> silent(response));
    var body = Json.MAPPER.writeValueAsBytes(json.whole(completions));
    recorder.accept(
        new Answer(served, 200, Outcome.COMPLETE, false, body, null, exchange.elapsedMs(), false));
    JsonResponse.send(response, body);
  }

  /// The choices, decoded together.
  private static List<Completion> all(ChatModel model, List<ChatRequest> requests) {
    if (requests.size() == 1) return List.of(model.complete(requests.getFirst()));
    var answers = model.completeAll(requests);
    var completions = new ArrayList<Completion>();
    try {
      for (var answer : answers) completions.add(answer.get());
    } catch (RuntimeException e) {
      giveUp(answers.subList(completions.size() + 1, answers.size()));
      throw e;
    }
    return completions;
  }

  /// An answer that an interrupted thread waits for is cancelled.
  private static void giveUp(List<Supplier<Completion>> answers) {
    for (var answer : answers) {
      Thread.currentThread().interrupt();
      try {
        var _ = answer.get();
      } catch (RuntimeException e) {
        // nobody waits for it any more
      }
    }
  }

  private void stream(ChatModel model, List<ChatRequest> requests, ServerResponse response) {
    var completions =
        Aside.run(here -> tell(model, requests, here, response), () -> silent(response));
    if (json.wantsUsage()) send(response, json.usage(completions));
    send(response, "[DONE]");
    if (out != null) ClientGone.onFailure(out::close);
  }

  /// @param here runs what writes
  private List<Completion> tell(
      ChatModel model, List<ChatRequest> requests, Executor here, ServerResponse response) {
    var completions = new ArrayList<Completion>();
    for (int i = 0; i < requests.size(); i++) {
      int index = i;
      var begun = new AtomicBoolean();
      Consumer<String> pass =
          text -> {
            var delta = CompletionJson.text(text, !begun.getAndSet(true));
            here.execute(() -> send(response, json.chunk(index, delta, null)));
          };
      var completion = model.stream(requests.get(i), pass);
      var ending = json.ending(index, completion, begun.get());
      here.execute(() -> ending.forEach(chunk -> send(response, chunk)));
      completions.add(completion);
    }
    return completions;
  }

  /// Looks after the client while the model has nothing to say. A stream that has not begun is left
  /// so: it may still become an error, or another's answer.
  private void silent(ServerResponse response) {
    if (Peer.hasLeft(exchange.http())) throw ClientGone.seen();
    if (out != null) write(response, SILENCE);
  }

  private void send(ServerResponse response, ObjectNode chunk) {
    send(response, chunk.toString());
  }

  private void send(ServerResponse response, String data) {
    write(response, ("data: " + data + "\n\n").getBytes(UTF_8));
  }

  private void write(ServerResponse response, byte[] bytes) {
    var sink = open(response);
    var seen = Objects.requireNonNull(transcript);
    seen.add(bytes);
    if (seen.ended()) record(Outcome.COMPLETE);
    ClientGone.onFailure(() -> {
      sink.write(bytes);
      sink.flush();
    });
    seen.assemble();
  }

  private OutputStream open(ServerResponse response) {
    if (out != null) return out;
    firstByteMs = exchange.elapsedMs();
    transcript = new Transcript(exchange.api(), true);
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    out = response.outputStream();
    return out;
  }

  private void record(Outcome outcome) {
    var seen = Objects.requireNonNull(transcript);
    seen.assemble();
    recorder.accept(
        new Answer(
            served, 200, outcome, true, seen.raw(), seen.message(), firstByteMs, seen.cut()));
  }

  private void breakOff(Outcome outcome, RuntimeException cause) {
    if (transcript == null) recorder.accept(Answer.toNobody(served, exchange.elapsedMs()));
    else if (!transcript.ended()) record(outcome);
    throw new CloseConnectionException("the stream was broken off", cause);
  }
}

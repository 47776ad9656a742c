package dev.espalier.dataset;

import dev.espalier.chat.CanonicalCall;
import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Message;
import dev.espalier.store.CapturedRequest;
import dev.espalier.store.Example;
import dev.espalier.store.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Captured requests as examples: each one's own answer is its target, whatever answers its prompt
/// holds from earlier turns. Which requests to take is said by a `CaptureFilter`.
public final class CapturedExamples {
  private CapturedExamples() {}

  /// What the requests gave.
  ///
  /// @param read how many requests there were
  /// @param left reason to how many requests were left out for it
  public record Read(List<Example> examples, int read, SortedMap<String, Integer> left) {
    public Read {
      examples = List.copyOf(examples);
    }
  }

  /// Reads and closes the stream.
  public static Read read(Stream<CapturedRequest> requests) {
    var examples = new ArrayList<Example>();
    var left = new TreeMap<String, Integer>();
    try (requests) {
      requests.forEach(request -> {
        try {
          examples.add(example(request));
        } catch (DatasetException | ChatException e) {
          left.merge(String.valueOf(e.getMessage()), 1, Integer::sum);
        }
      });
    }
    int read = examples.size() + left.values().stream().mapToInt(Integer::intValue).sum();
    return new Read(examples, read, left);
  }

  private static Example example(CapturedRequest captured) {
    if (captured.outcome() != Outcome.COMPLETE || captured.status() != 200) {
      throw new DatasetException("no whole answer");
    }
    if (!(captured.requestJson() instanceof ObjectNode request)) {
      throw new DatasetException("the request is not a JSON object");
    }
    var response = captured.responseJson();
    return switch (captured.api()) {
      case OPENAI -> example(captured, request, answer(response));
      case ANTHROPIC ->
          example(captured, AnthropicJson.request(request), AnthropicJson.answer(response));
    };
  }

  private static Example example(CapturedRequest captured, ObjectNode json, ObjectNode answer) {
    var request = new ChatRequest(json);
    for (var message : request.messages()) ChatRequest.message(message); // refuses unknown roles
    return new Example(request, target(answer), captured.conversationId(), captured.id());
  }

  private static ObjectNode answer(JsonNode response) {
    var choice = response.path("choices").path(0);
    if (!(choice.path("message") instanceof ObjectNode message)) {
      throw new DatasetException("the response has no message");
    }
    return switch (choice.path("finish_reason").asString("")) {
      case "length" -> throw new DatasetException("the answer was cut off");
      case "content_filter" -> throw new DatasetException("the answer was filtered");
      default -> message;
    };
  }

  /// The answer as a client would send it back: without the fields that are null.
  private static ObjectNode target(ObjectNode message) {
    var target = message.deepCopy();
    target.put("role", "assistant");
    target.properties().removeIf(field -> field.getValue().isNull());
    for (var call : target.path("tool_calls")) {
      if (call instanceof ObjectNode object) object.remove("index"); // of a reassembled stream
    }
    var expected = (Message.Assistant) ChatRequest.message(target);
    if (expected.text().isEmpty() && expected.calls().isEmpty()) {
      throw new DatasetException("the answer is empty");
    }
    for (var call : expected.calls()) {
      if (CanonicalCall.of(call) == null) {
        throw new DatasetException("the answer's tool call has unparseable arguments");
      }
    }
    return target;
  }
}

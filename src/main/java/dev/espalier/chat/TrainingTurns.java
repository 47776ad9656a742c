package dev.espalier.chat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Turns one conversation into the token sequences that teach its assistant messages.
final class TrainingTurns {
  private final ChatFormat format;
  private final ChatRequest conversation;
  private final TemplateInput input;
  private final List<TrainingSequence> done = new ArrayList<>();

  private int[] ids = {};
  private boolean[] trained = {};

  TrainingTurns(ChatFormat format, ChatRequest conversation) {
    this.format = format;
    this.conversation = conversation;
    this.input = format.input(conversation);
  }

  List<TrainingSequence> sequences() {
    var messages = conversation.messages();
    for (int i = 0; i < messages.size(); i++) {
      if (isTrained(messages.get(i), i)) add(i);
    }
    flush();
    return List.copyOf(done);
  }

  private static boolean isTrained(JsonNode message, int i) {
    var weight = message.path("weight");
    if (!weight.isMissingNode()
        && !(weight.isNumber() && (weight.asDouble() == 0 || weight.asDouble() == 1))) {
      throw at(i, "weight must be 0 or 1, not " + weight);
    }
    if (!message.path("role").asString("").equals("assistant")) return false;
    return weight.asDouble(1) == 1;
  }

  private void add(int i) {
    checkArguments(conversation.messages().get(i), i);
    var prompt = format.render(input, i, true);
    var whole = format.render(input, i + 1, false);
    if (!whole.startsWith(prompt)) {
      throw at(i, "the chat template renders the answer so that it does not begin with its prompt");
    }
    var completion = whole.substring(prompt.length());
    checkCalls(completion, i);
    append(format.encode(prompt, input.cut()), completion(completion, i));
  }

  /// Some templates know no tool calls and would teach the model to answer nothing.
  private void checkCalls(String completion, int i) {
    for (var call : input.messages().get(i).path("tool_calls")) {
      var name = call.path("function").path("name").asString("");
      if (!completion.contains(name)) {
        throw at(i, "the chat template leaves out the call of " + name);
      }
    }
  }

  private static void checkArguments(JsonNode message, int i) {
    for (var call : message.path("tool_calls")) {
      var arguments = call.path("function").path("arguments");
      try {
        if (!arguments.isString()
            || arguments.asString().isBlank()
            || Json.parse(arguments.asString()).isObject()) continue;
        throw at(i, "the arguments of a tool call are not an object: " + arguments.asString());
      } catch (JacksonException e) {
        throw at(i, "the arguments of a tool call are not JSON: " + arguments.asString());
      }
    }
  }

  /// The completion's ids up to and with the token that ends the turn.
  private int[] completion(String text, int i) {
    int[] ids = format.encode(text, input.cut());
    for (int end = 0; end < ids.length; end++) {
      if (format.stops().contains(ids[end])) return Arrays.copyOf(ids, end + 1);
    }
    throw at(i, "the chat template ends the answer with none of the model's stop tokens");
  }

  private void append(int[] prompt, int[] completion) {
    if (!extended(prompt)) flush();
    int start = prompt.length;
    int end = start + completion.length;
    trained = Arrays.copyOf(trained, end);
    Arrays.fill(trained, start, end, true);
    ids = Arrays.copyOf(prompt, end);
    System.arraycopy(completion, 0, ids, start, completion.length);
  }

  private boolean extended(int[] prompt) {
    return prompt.length >= ids.length && Arrays.equals(prompt, 0, ids.length, ids, 0, ids.length);
  }

  private void flush() {
    if (ids.length > 0) done.add(new TrainingSequence(ids, trained));
    ids = new int[0];
    trained = new boolean[0];
  }

  private static ChatException at(int i, String what) {
    return new ChatException(400, "messages[%d]: %s".formatted(i, what));
  }
}

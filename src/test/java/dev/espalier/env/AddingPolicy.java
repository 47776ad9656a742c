package dev.espalier.env;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Message;
import dev.espalier.chat.TokenTrace;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.Usage;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Adds the two numbers of a question with the tool `add`, or guesses, as its seed has it. Tokens
/// are bytes; what it was asked next continues what it was asked before, token by token.
public final class AddingPolicy implements ChatModel {
  private static final Pattern NUMBER = Pattern.compile("\\d+");
  private static final String END = "\0";

  @Override
  public Completion complete(ChatRequest request) {
    var said = request.conversation();
    var message = answer(said, request.json().path("seed").asLong());
    var prompt = said.stream().map(AddingPolicy::render).collect(Collectors.joining()) + "a";
    int[] promptIds = ids(prompt);
    int[] ids = ids(body(message) + END);
    var logprobs = new float[ids.length];
    Arrays.fill(logprobs, -0.5f);
    return new Completion(
        message,
        message.calls().isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS,
        new Usage(promptIds.length, ids.length),
        new TokenTrace(promptIds, ids, logprobs, "policy@0", 1));
  }

  private static Message.Assistant answer(List<Message> said, long seed) {
    if (said.getLast() instanceof Message.ToolResult(var id, var text)) {
      return new Message.Assistant("It is " + text, List.of());
    }
    var question = said.getLast() instanceof Message.User(var text) ? text : "";
    var numbers = NUMBER.matcher(question).results().map(found -> found.group()).toList();
    if (seed % 3 == 0 || numbers.size() < 2) return new Message.Assistant("It is 7", List.of());
    var arguments = "{\"a\": %s, \"b\": %s}".formatted(numbers.get(0), numbers.get(1));
    return new Message.Assistant("", List.of(new ToolCall("call_1", "add", arguments)));
  }

  private static String render(Message message) {
    return switch (message) {
      case Message.System(var text) -> "s" + text + END;
      case Message.User(var text) -> "u" + text + END;
      case Message.Assistant said -> "a" + body(said) + END;
      case Message.ToolResult(var id, var text) -> "t" + text + END;
    };
  }

  private static String body(Message.Assistant said) {
    return said.text()
        + said.calls().stream()
            .map(call -> call.name() + call.arguments())
            .collect(Collectors.joining());
  }

  private static int[] ids(String text) {
    var bytes = text.getBytes(UTF_8);
    var ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) ids[i] = bytes[i] & 0xFF;
    return ids;
  }
}

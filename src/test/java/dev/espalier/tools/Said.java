package dev.espalier.tools;

import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Message;
import dev.espalier.chat.ToolCall;
import dev.espalier.chat.Usage;
import java.util.List;

/// What scripted models say.
final class Said {
  private Said() {}

  static Completion text(String text) {
    return completion(new Message.Assistant(text, List.of()), FinishReason.STOP);
  }

  static Completion calls(ToolCall... calls) {
    return completion(new Message.Assistant("", List.of(calls)), FinishReason.TOOL_CALLS);
  }

  private static Completion completion(Message.Assistant message, FinishReason finish) {
    return new Completion(message, finish, new Usage(1, 1), null);
  }
}

package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.node.ObjectNode;

/// How the built-in model is spoken to: its special tokens and its chat template.
///
/// Built for copying: text after a marker begins with a space, and each argument of a call stands
/// on a line of its own, unquoted if it is a string, so that a word has the same tokens in what the
/// user said and in the call. `chat_template.jinja` holds the template.
public final class BuiltinChat {
  public static final String PAD = "<|pad|>";

  /// Ends every turn: the stop token.
  public static final String END = "<|end|>";

  /// The special tokens in order of their ids.
  public static final List<String> SPECIALS =
      List.of(
          PAD, END, "<|tools|>", "<|system|>", "<|user|>", "<|assistant|>", "<|call|>", "<|tool|>");

  private BuiltinChat() {}

  /// The chat template, as Jinja text.
  public static String template() {
    try (var in = BuiltinChat.class.getResourceAsStream("chat_template.jinja")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The fields of `tokenizer_config.json`.
  ///
  /// @param context how many tokens the model can attend to
  public static ObjectNode tokenizerConfig(int context) {
    return Json.object()
        .put("eos_token", END)
        .put("pad_token", PAD)
        .putNull("bos_token")
        .putNull("unk_token")
        .put("model_max_length", context)
        .put("chat_template", template());
  }
}

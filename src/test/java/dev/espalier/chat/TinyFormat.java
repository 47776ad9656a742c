package dev.espalier.chat;

import dev.espalier.pretrain.Bpe;
import dev.espalier.pretrain.BuiltinChat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/// A chat format of each tool-call syntax, with a vocabulary that is trained on the spot.
public final class TinyFormat {
  private static final String TEXT =
      "{\"name\": \"Find\", \"arguments\": {\"city\": \"Rome\", \"seats\": 3}} <answer>";

  private TinyFormat() {}

  /// Writes a model folder and reads it.
  ///
  /// @param markers whether what begins and ends a call are tokens; Hermes' are not special, as in
  ///   Qwen's vocabulary
  public static ChatFormat of(ToolCallSyntax syntax, boolean markers, Path dir) throws IOException {
    var specials = new ArrayList<>(BuiltinChat.SPECIALS);
    for (var marker : List.of(syntax.marker(), syntax.end())) {
      if (markers && !marker.isEmpty() && !specials.contains(marker)) specials.add(marker);
    }
    var template =
        switch (syntax) {
          case LINES -> BuiltinChat.template();
          case LLAMA3 -> "{\"name\": function name, \"parameters\": …}";
          case HERMES, MISTRAL, NONE -> syntax.marker();
        };
    var config = BuiltinChat.tokenizerConfig(64).put("chat_template", template);
    var vocabulary = Bpe.train(Stream.of(TEXT, TEXT), 400, specials);
    vocabulary.write(dir, config);
    var json = vocabulary.tokenizer();
    for (var token : json.withArray("added_tokens")) {
      boolean hermes = token.path("content").asString().contains("tool_call");
      if (hermes) ((ObjectNode) token).put("special", false);
    }
    Files.writeString(dir.resolve("tokenizer.json"), Json.write(json));
    return ChatFormat.load(dir);
  }
}

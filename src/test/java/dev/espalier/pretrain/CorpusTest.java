package dev.espalier.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ArrayNode;

/// The corpus without SGD data, with a small vocabulary.
class CorpusTest {
  @TempDir Path dir;

  private Tokenizer tokenizer;

  @BeforeEach
  void learnVocabulary() {
    var conversations = Conversations.open(null, null, 1);
    var texts = new ArrayList<String>();
    for (int i = 0; i < 300; i++) texts.add(Rendering.text(conversations.at(i)));
    Bpe.train(texts.stream(), 1000, BuiltinChat.SPECIALS)
        .write(dir, BuiltinChat.tokenizerConfig(2048));
    tokenizer = Tokenizer.load(dir);
  }

  @AfterEach
  void close() {
    tokenizer.close();
  }

  private static List<Document> take(Corpus corpus, int count) {
    var out = new ArrayList<Document>();
    for (int i = 0; i < count; i++) out.add(corpus.next());
    return out;
  }

  @Test
  void aDocumentDependsOnTheSeedAndItsIndexAlone() {
    var whole = take(Corpus.open(null, tokenizer, 7), 60);
    var corpus = Corpus.open(null, tokenizer, 7);
    corpus.seek(40);
    assertThat(corpus.position()).isEqualTo(40);
    var tail = take(corpus, 20);
    for (int i = 0; i < 20; i++) {
      assertThat(tail.get(i).ids()).isEqualTo(whole.get(40 + i).ids());
      assertThat(tail.get(i).part()).isEqualTo(whole.get(40 + i).part());
    }
    assertThat(take(Corpus.open(null, tokenizer, 8), 1).getFirst().ids())
        .isNotEqualTo(whole.getFirst().ids());
  }

  @Test
  void partsFollowTheMarkers() {
    var rendering = new Rendering(tokenizer);
    var conversations = Conversations.open(null, tokenizer, 3);
    for (int i = 0; i < 100; i++) {
      var document = rendering.document(conversations.at(i), Corpus.LONGEST);
      assertThat(document.ids().length).isBetween(10, Corpus.LONGEST);
      var calls = new StringBuilder();
      for (int t = 0; t < document.ids().length; t++) {
        var token = tokenizer.decode(document.ids()[t]);
        byte part = document.part()[t];
        if (part == Document.CALL) calls.append(token);
        byte expected =
            switch (token) {
              case "<|tools|>" -> Document.TOOLS;
              case "<|user|>" -> Document.USER;
              case "<|call|>" -> Document.CALL;
              case "<|system|>", "<|tool|>", "<|assistant|>" -> Document.PROMPT;
              default -> part;
            };
        assertThat(part).isEqualTo(expected);
      }
      var opened = calls.toString().split("<\\|call\\|>", -1).length - 1;
      var ended = calls.toString().split("<\\|end\\|>", -1).length - 1;
      assertThat(ended).isBetween(opened - 1, opened);
    }
  }

  /// What is trained on is what the gateway will show the model, to the token.
  @Test
  void renderingIsWhatTheChatTemplateRenders() {
    try (var format = ChatFormat.load(dir)) {
      var conversations = Conversations.open(null, tokenizer, 5);
      for (int i = 0; i < 150; i++) {
        var conversation = conversations.at(i);
        var json = conversation.json();
        var request =
            ChatRequest.of("m", (ArrayNode) json.get("messages"), (ArrayNode) json.get("tools"));
        var text = Rendering.text(conversation) + "<|assistant|>";
        assertThat(format.promptText(request)).isEqualTo(text);
        assertThat(format.prompt(request)).isEqualTo(tokenizer.encode(text));
      }
    }
  }
}

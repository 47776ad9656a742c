package dev.espalier.chat;

import dev.espalier.chat.TemplateInput.Dialect;
import dev.espalier.template.TemplateException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;

/// How one model is spoken to: its tokenizer, chat template, stop tokens and tool-call syntax.
///
/// The one path from messages to tokens and back, for serving, sampling and training alike. Safe
/// for use by many threads; closing it closes its tokenizer.
public final class ChatFormat implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final FormatFiles files;
  private final Clock clock;
  private final MarkerGuard guard;
  private final ToolCallSyntax syntax;
  private final Dialect dialect;

  private ChatFormat(Tokenizer tokenizer, FormatFiles files, Clock clock) {
    this.tokenizer = tokenizer;
    this.files = files;
    this.clock = clock;
    this.guard = new MarkerGuard(tokenizer.specials());
    var sources = String.join("\n", files.sources().values());
    this.syntax = ToolCallSyntax.detect(sources);
    this.dialect = Dialect.of(sources, syntax);
  }

  /// Reads the format of a model folder.
  ///
  /// @throws IllegalArgumentException if a file is missing or broken; it says which
  public static ChatFormat load(Path modelDir) {
    return load(modelDir, Clock.system(ZoneId.systemDefault()));
  }

  /// Reads the format of a model folder.
  ///
  /// @param clock what a template that writes today's date reads: pin it to repeat a run
  /// @throws IllegalArgumentException if a file is missing or broken; it says which
  public static ChatFormat load(Path modelDir, Clock clock) {
    var tokenizer = Tokenizer.load(modelDir);
    try {
      return new ChatFormat(tokenizer, FormatFiles.read(modelDir, tokenizer), clock);
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /// The ids that end a turn.
  public Set<Integer> stops() {
    return files.stops();
  }

  public ToolCallSyntax syntax() {
    return syntax;
  }

  /// The prompt of a request, int[P], up to where the model is to begin.
  ///
  /// Text in the conversation that spells a special token stays text. Fields of
  /// `chat_template_kwargs` are given to the template.
  ///
  /// @throws ChatException with status 400 if the template refuses the conversation
  public int[] prompt(ChatRequest request) {
    var input = input(request);
    return encode(render(input, request.messages().size(), true), input.cut());
  }

  /// The text of a request's prompt, as the template renders it.
  ///
  /// @throws ChatException with status 400 if the template refuses the conversation
  public String promptText(ChatRequest request) {
    var input = input(request);
    var text = render(input, request.messages().size(), true);
    return text.replace(String.valueOf(input.cut()), "");
  }

  /// The tokens that teach a conversation's assistant messages, those of `weight` 0 left out.
  ///
  /// What is learned is the completion, from where a prompt ends up to the end-of-turn token, and
  /// exactly the tokens that the prompt has when the model is served stand before it. Turns are one
  /// sequence where the later prompt's ids extend the earlier turn's, otherwise one each.
  ///
  /// @param conversation its messages, with the answers in them
  /// @throws ChatException with status 400 that names the message at fault
  public List<TrainingSequence> encode(ChatRequest conversation) {
    return new TrainingTurns(this, conversation).sequences();
  }

  /// Reads a completion, with or without the stop token at its end.
  ///
  /// Only the token that begins a call begins one: a text that spells it is text.
  ///
  /// @param tools the request's tools
  public Reply parse(int[] ids, @Nullable ArrayNode tools) {
    var said = Arrays.copyOf(ids, end(ids));
    var text = tokenizer.decode(said);
    var marker = syntax.marker();
    var begins = tokenizer.id(marker);
    if (begins == null || !text.contains(marker)) return parse(text, tools);
    char cut = MarkerGuard.cutFor(text);
    var written = new StringBuilder();
    int from = 0;
    for (int i = 0; i <= said.length; i++) {
      if (i < said.length && said[i] != begins) continue;
      var piece = tokenizer.decode(Arrays.copyOfRange(said, from, i));
      written.append(piece.replace(marker, marker.charAt(0) + (cut + marker.substring(1))));
      if (i < said.length) written.append(marker);
      from = i + 1;
    }
    return parse(written.toString(), tools).without(cut);
  }

  /// Reads a completion that was cut off before its end. Its last call is left out where half of
  /// one reads like a whole.
  ///
  /// @param tools the request's tools
  public Reply parseCut(int[] ids, @Nullable ArrayNode tools) {
    var begins = tokenizer.id(syntax.marker());
    if (syntax != ToolCallSyntax.LINES || begins == null) return parse(ids, tools);
    int end = ids.length - 1;
    while (end >= 0 && ids[end] != begins) end--;
    return parse(end < 0 ? ids : Arrays.copyOf(ids, end), tools);
  }

  private int end(int[] ids) {
    for (int i = 0; i < ids.length; i++) if (stops().contains(ids[i])) return i;
    return ids.length;
  }

  /// Reads the text of a completion, without a stop token.
  ///
  /// @param tools the request's tools
  public Reply parse(String completion, @Nullable ArrayNode tools) {
    return syntax.parse(completion, tools);
  }

  /// For handing a completion's text over while it is sampled.
  public ReplyStream streaming() {
    return new ReplyStream(syntax, tokenizer);
  }

  TemplateInput input(ChatRequest request) {
    return TemplateInput.of(request, guard, dialect);
  }

  /// Renders the first `count` messages, cuts included.
  String render(TemplateInput input, int count, boolean addGenerationPrompt) {
    var templates = files.templates();
    var name = input.tools() != null && templates.containsKey("tool_use") ? "tool_use" : "default";
    var template = templates.get(name);
    if (template == null) template = templates.values().iterator().next();
    try {
      var variables = input.variables(count, addGenerationPrompt, files.specials());
      return Objects.requireNonNull(template).render(variables, LocalDateTime.now(clock));
    } catch (TemplateException e) {
      throw new ChatException(400, "the model's chat template: " + e.getMessage(), e);
    }
  }

  /// The ids of rendered text; between cuts it is tokenised by itself.
  int[] encode(String rendered, char cut) {
    if (rendered.indexOf(cut) < 0) return tokenizer.encode(rendered);
    return Arrays.stream(rendered.split(String.valueOf(cut), -1))
        .map(tokenizer::encode)
        .flatMapToInt(Arrays::stream)
        .toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}

package dev.espalier.engine;

import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.Message;
import dev.espalier.chat.Reply;
import dev.espalier.chat.ReplyStream;
import dev.espalier.chat.TokenTrace;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;

/// The answer to one request as its tokens come in: text goes out as soon as it is certain, up to a
/// stop text.
final class Answer {
  private final ChatFormat format;
  private final List<String> stops;
  private final Consumer<String> out;
  private final ReplyStream stream;
  private final int longestStop;
  private final List<Generation.Token> tokens = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private int released;
  private int cutAt = -1;
  private boolean ended;

  /// @param stops texts that end the answer and are cut from it
  /// @param out takes the text, in pieces
  Answer(ChatFormat format, List<String> stops, Consumer<String> out) {
    this.format = format;
    this.stops = stops;
    this.out = out;
    this.stream = format.streaming();
    this.longestStop = stops.stream().mapToInt(String::length).max().orElse(0);
  }

  /// Takes a token and says whether the answer is over.
  boolean add(Generation.Token token) {
    tokens.add(token);
    if (format.stops().contains(token.id())) {
      ended = true;
      return true;
    }
    text.append(stream.next(token.id()));
    cut();
    release(cutAt >= 0 ? cutAt : text.length() - Math.max(0, longestStop - 1));
    return cutAt >= 0;
  }

  /// Looks for the first stop text in what was not released.
  private void cut() {
    for (var stop : stops) {
      int found = text.indexOf(stop, released);
      if (found >= 0 && (cutAt < 0 || found < cutAt)) cutAt = found;
    }
  }

  private void release(int end) {
    if (end <= released) return;
    out.accept(text.substring(released, end));
    released = end;
  }

  /// The whole answer, after the last token. What was held back until now may hold a stop text too.
  Message.Assistant finish(@Nullable ArrayNode tools) {
    if (cutAt >= 0) return stoppedText();
    Reply reply = ended ? format.parse(ids(), tools) : format.parseCut(ids(), tools);
    text.append(stream.finish(reply));
    cut();
    release(cutAt >= 0 ? cutAt : text.length());
    return cutAt >= 0 ? stoppedText() : reply.message();
  }

  private Message.Assistant stoppedText() {
    return new Message.Assistant(text.substring(0, cutAt), List.of());
  }

  /// Whether it ended by itself or by a stop text, and not for want of room.
  boolean stopped() {
    return ended || cutAt >= 0;
  }

  int[] ids() {
    return tokens.stream().mapToInt(Generation.Token::id).toArray();
  }

  /// What was likeliest at each token.
  List<List<TokenTrace.Likely>> likeliest() {
    return tokens.stream().map(Generation.Token::likeliest).toList();
  }

  float[] logprobs() {
    var logprobs = new float[tokens.size()];
    for (int i = 0; i < logprobs.length; i++) logprobs[i] = tokens.get(i).logprob();
    return logprobs;
  }
}

package dev.espalier.engine;

import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Message;
import dev.espalier.chat.Reply;
import dev.espalier.chat.ReplyStream;
import dev.espalier.chat.TokenTrace;
import dev.espalier.chat.ToolCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

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
    release(cutAt >= 0 ? cutAt : certain());
    return cutAt >= 0;
  }

  /// Where the text ends that no stop text can begin in any more: never between the halves of a
  /// surrogate pair, which could not be sent alone.
  private int certain() {
    int end = text.length() - Math.max(0, longestStop - 1);
    return end > 0 && Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end;
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
  ///
  /// @param prompt the request's tokens
  Reply finish(ChatRequest request, int[] prompt) {
    if (cutAt >= 0) return stoppedText();
    var tools = request.tools();
    Reply reply = ended ? format.parse(ids(), tools) : format.parseCut(ids(), tools);
    text.append(stream.finish(reply));
    cut();
    release(cutAt >= 0 ? cutAt : text.length());
    if (cutAt >= 0) return stoppedText();
    var calls = reply.message().calls().stream().limit(request.mostCalls()).toList();
    var message = new Message.Assistant(reply.message().text(), identified(calls, prompt));
    return new Reply(message, reply.unparseable());
  }

  /// Gives calls ids that are a function of all that was said up to them: a run can be repeated,
  /// and no two calls of a conversation are called the same.
  private List<ToolCall> identified(List<ToolCall> calls, int[] prompt) {
    int said = 31 * Arrays.hashCode(prompt) + Arrays.hashCode(ids());
    var out = new ArrayList<ToolCall>();
    for (var call : calls) {
      var id = "call_%08x%d".formatted(said, out.size());
      out.add(new ToolCall(id, call.name(), call.arguments()));
    }
    return out;
  }

  private Reply stoppedText() {
    return new Reply(new Message.Assistant(text.substring(0, cutAt), List.of()), false);
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

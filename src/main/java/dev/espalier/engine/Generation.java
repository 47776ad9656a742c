package dev.espalier.engine;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Sampling;
import dev.espalier.chat.TokenTrace;
import dev.espalier.grammar.Matcher;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One sequence being generated: the requester reads tokens, the engine writes them.
public final class Generation {
  /// A sampled token.
  ///
  /// @param likeliest as many as the request asks for, itself among them or not
  public record Token(int id, float logprob, List<TokenTrace.Likely> likeliest) {}

  private sealed interface Event {
    record Sampled(Token token) implements Event {}

    record End() implements Event {}

    record Failed(Throwable cause) implements Event {}
  }

  final int[] prompt;
  final Sampling sampling;
  final Set<Integer> stops;
  final @Nullable Adapter adapter;
  final Sampler sampler;
  private final @Nullable Matcher matcher;
  private final Runnable giveBack;
  private final Duration patience;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private volatile boolean cancelled;

  // Only the engine's thread touches these.
  int length;
  int last;
  private long began; // System.nanoTime() when it had its place
  private int[] sampled = new int[16];
  private int count;
  private long hash; // of all tokens
  private @Nullable Segment segment;
  private int base;

  /// @param lease null for the base alone
  /// @param matcher what limits the answer; null for nothing
  /// @param patience how long to wait for a token
  Generation(
      int[] prompt,
      Sampling sampling,
      Set<Integer> stops,
      @Nullable Lease lease,
      @Nullable Matcher matcher,
      Duration patience) {
    this.prompt = prompt;
    this.sampling = sampling;
    this.stops = stops;
    this.adapter = lease == null ? null : lease.adapter();
    this.giveBack = lease == null ? () -> {} : lease.giveBack();
    this.matcher = matcher;
    this.patience = patience;
    this.sampler = new Sampler(sampling);
    length = prompt.length;
    for (int token : prompt) hash = hashed(token);
  }

  private long hashed(int token) {
    return (hash ^ token) * 0x9E37_79B9_7F4A_7C15L;
  }

  /// What twins have in common, and others hardly ever.
  long hash() {
    return hash;
  }

  /// Whether another has the same tokens from the same adapter so far, so that the same comes next.
  boolean isTwinOf(Generation other) {
    return Objects.equals(adapter, other.adapter)
        && sampler.temperature() == other.sampler.temperature()
        && Arrays.equals(prompt, other.prompt)
        && Arrays.equals(sampled, 0, count, other.sampled, 0, other.count);
  }

  /// The next token, waiting for it; null after the last. The stop token is handed over too.
  ///
  /// A thread that is interrupted while it waits is told once the engine has let go of the
  /// sequence, so that its adapter may be closed then.
  ///
  /// @throws ChatException 500 if the engine failed, 504 if the token took too long
  public @Nullable Token next() {
    try {
      return switch (events.poll(patience.toNanos(), TimeUnit.NANOSECONDS)) {
        case null -> throw late();
        case Event.Sampled(var token) -> token;
        case Event.End() -> null;
        case Event.Failed(var cause) ->
            throw new ChatException(500, "the engine failed: " + cause, cause);
      };
    } catch (InterruptedException e) {
      cancel();
      awaitEnd();
      Thread.currentThread().interrupt();
      throw new ChatException(499, "the request was cancelled", e);
    }
  }

  private ChatException late() {
    cancel();
    return new ChatException(
        504,
        "the model gave no token within %d s: try again later, or another model"
            .formatted(patience.toSeconds()));
  }

  private void awaitEnd() {
    while (true) {
      try {
        if (!(events.take() instanceof Event.Sampled)) return;
      } catch (InterruptedException again) {
        // the engine is as quick as it can be
      }
    }
  }

  /// Frees the sequence's place at the next step.
  public void cancel() {
    cancelled = true;
  }

  boolean cancelled() {
    return cancelled;
  }

  void begin() {
    began = System.nanoTime();
  }

  /// How long it has had its place.
  Duration age() {
    return Duration.ofNanos(System.nanoTime() - began);
  }

  /// How many tokens were sampled.
  int sampled() {
    return count;
  }

  /// The tokens that may come next, a bit each; null for all.
  long @Nullable [] allowed() {
    return matcher == null ? null : matcher.allowed();
  }

  void emit(Token token) {
    if (matcher != null && !stops.contains(token.id())) matcher.accept(token.id());
    if (count == sampled.length) sampled = Arrays.copyOf(sampled, 2 * count);
    sampled[count++] = token.id();
    last = token.id();
    hash = hashed(last);
    length++;
    events.add(new Event.Sampled(token));
  }

  /// Prompt and sampled tokens but the last, which nothing was computed of.
  int[] computed() {
    var all = Arrays.copyOf(prompt, length - 1);
    System.arraycopy(sampled, 0, all, prompt.length, count - 1);
    return all;
  }

  /// Keeps a segment from being freed while it is gone on from.
  ///
  /// @param base how many of its tokens
  void goesOnFrom(@Nullable Segment shared, int base) {
    release();
    segment = shared;
    this.base = base;
    if (shared != null) shared.users++;
  }

  private void release() {
    if (segment != null) segment.users--;
    segment = null;
  }

  @Nullable Segment segment() {
    return segment;
  }

  /// How many of its tokens a segment holds.
  int base() {
    return base;
  }

  void end() {
    release();
    giveBack.run();
    events.add(new Event.End());
  }

  void fail(Throwable cause) {
    release();
    giveBack.run();
    events.add(new Event.Failed(cause));
  }
}

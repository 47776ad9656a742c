package dev.espalier.engine;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Sampling;
import dev.espalier.grammar.Grammars;
import dev.espalier.grammar.Matcher;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Memory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.bytedeco.pytorch.NoGradGuard;
import org.jspecify.annotations.Nullable;

/// Generates for many requests at once: each joins the running batch when a slot is free and leaves
/// it when it is done, whichever adapter it is for.
public final class Engine implements AutoCloseable {
  /// Tokens that a client's prompt and its answer should have room for.
  public static final int SEQUENCE = 4096;

  /// A pass that has this many tokens to compute takes no more prompts.
  private static final int PASS = 1024;

  /// Tokens of one prompt that are computed while others wait for their next token.
  private static final int CHUNK = 512;

  /// The same while nobody waits; who comes meanwhile does, and what they are computed with has to
  /// be kept.
  private static final int ALONE = 2048;

  private final BaseModel base;
  private final int slots;
  private final Patience patience;
  private final int longest; // tokens of a sequence
  private final Grammars grammars;
  private final PromptCache prompts;
  private final Decoding decoding;
  private final BlockingQueue<List<Generation>> arriving = new LinkedBlockingQueue<>();
  private final AtomicInteger queued = new AtomicInteger(); // arriving and waiting
  private final Pace pace = new Pace();
  private final Deque<Generation> waiting = new ArrayDeque<>(); // on the engine's thread only
  private final List<Generation> running = new ArrayList<>(); // index = slot
  private final Thread thread;
  private volatile boolean closed;

  /// How many slots an engine should have, so that a sequence can be of that length as long as the
  /// machine's free memory lasts.
  ///
  /// @param most slots
  /// @param length tokens of a prompt and its answer
  public static int slots(BaseModel base, int most, int length) {
    long laidOut = base.shape().size() * base.dtype().bytes(); // the weights, once more
    long bytes = (Memory.available() - laidOut) / 2;
    return KvCache.slots(base.shape(), base.dtype(), bytes, length, most);
  }

  /// An engine that takes at most half of the machine's free memory for keys and values.
  ///
  /// @param slots how many sequences decode together
  public Engine(BaseModel base, int slots) {
    this(base, slots, Patience.withOwnWork());
  }

  /// As [#Engine(BaseModel, int)].
  ///
  /// @param patience how many may wait, and for how long
  public Engine(BaseModel base, int slots, Patience patience) {
    this(base, slots, () -> Memory.available() / 2, patience);
  }

  /// @param slots how many sequences decode together
  /// @param most bytes for the keys and values of all sequences; prompts that begin alike share
  ///   more
  public Engine(BaseModel base, int slots, long most) {
    this(base, slots, () -> most, Patience.withOwnWork());
  }

  /// @param most is asked when the weights are laid out for decoding, which takes memory too
  private Engine(BaseModel base, int slots, LongSupplier most, Patience patience) {
    this.base = base;
    this.slots = slots;
    this.patience = patience;
    grammars = new Grammars(base.format());
    prompts = new PromptCache(base, slots);
    decoding = Device.cpu().run(Urgency.DECODE, () -> new Decoding(base, prompts));
    try {
      longest = KvCache.longest(base.shape(), slots, base.dtype(), most.getAsLong());
    } catch (IllegalArgumentException e) {
      free();
      throw e;
    }
    thread = Thread.ofPlatform().daemon().name("espalier-engine").start(this::loop);
  }

  public BaseModel base() {
    return base;
  }

  /// What requests may limit answers to.
  Grammars grammars() {
    return grammars;
  }

  /// How many tokens a prompt and its answer may have.
  public int longest() {
    return longest;
  }

  /// Bytes that the keys and values of running sequences may come to take.
  public long most() {
    return KvCache.bytes(base.shape(), base.dtype(), slots, longest);
  }

  /// Queues a prompt.
  ///
  /// @param stops tokens that end the completion
  /// @param adapter null for the base alone
  /// @throws ChatException 400 if the prompt cannot fit the context, 429 if too many wait
  public Generation generate(
      int[] prompt, Sampling sampling, Set<Integer> stops, @Nullable Adapter adapter) {
    var lease = adapter == null ? null : Lease.of(adapter);
    var generation = prepare(prompt, sampling, stops, lease, null);
    queue(List.of(generation));
    return generation;
  }

  /// A generation that is not queued yet.
  ///
  /// @param lease given back when it ends; null for the base alone
  /// @param matcher what limits the answer; null for nothing
  /// @throws ChatException 400 if the prompt cannot fit the context
  Generation prepare(
      int[] prompt,
      Sampling sampling,
      Set<Integer> stops,
      @Nullable Lease lease,
      @Nullable Matcher matcher) {
    int context = base.shape().context();
    if (prompt.length == 0) throw new ChatException(400, "the prompt is empty");
    if (prompt.length >= context) {
      throw ChatException.tooLong(
          "the prompt has %d tokens, but the model's context is %d"
              .formatted(prompt.length, context));
    }
    if (prompt.length >= longest) {
      throw ChatException.tooLong(
          "the prompt has %d tokens, but there is memory for %d in each of %d sequences at once"
              .formatted(prompt.length, longest, slots));
    }
    return new Generation(prompt, sampling, stops, lease, matcher, patience.token());
  }

  /// Queues generations as one batch: nothing else comes between them, so that with nothing else
  /// running which of them decode together does not depend on time.
  ///
  /// @throws ChatException 429 if too many wait already; a batch is taken whole or not at all
  void queue(List<Generation> generations) {
    if (closed) throw new ChatException(503, "the engine is shutting down");
    int most = patience.waiting();
    int size = generations.size();
    int before = queued.getAndUpdate(now -> now < most ? now + size : now);
    if (before >= most) throw overloaded(before);
    arriving.add(generations);
  }

  private ChatException overloaded(int waiting) {
    int seconds = pace.secondsFor(waiting, slots);
    return ChatException.overloaded(
        "%d requests are waiting already: try again in %d s".formatted(waiting, seconds), seconds);
  }

  private void loop() {
    while (!closed) {
      try {
        admit();
        if (!running.isEmpty()) step();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException | Error e) {
        for (var generation : running) generation.fail(e);
        running.clear();
      }
    }
  }

  /// Prefills waiting requests into free slots; waits for one when nothing runs.
  private void admit() throws InterruptedException {
    if (running.isEmpty() && waiting.isEmpty()) waiting.addAll(arriving.take());
    for (var more = arriving.poll(); more != null; more = arriving.poll()) waiting.addAll(more);
    waiting.removeIf(this::isGone);
    var next = new ArrayList<Generation>();
    int tokens = 0;
    while (tokens < PASS && running.size() + next.size() < slots && !waiting.isEmpty()) {
      var first = waiting.removeFirst();
      first.begin();
      next.add(first);
      tokens += first.prompt.length - prompts.held(first.prompt, first.adapter);
    }
    if (!next.isEmpty()) start(next);
  }

  /// Whether one that waits was cancelled; it is ended then.
  private boolean isGone(Generation generation) {
    if (!generation.cancelled()) return false;
    queued.decrementAndGet();
    generation.end();
    return true;
  }

  private void start(List<Generation> next) {
    int most = running.isEmpty() ? ALONE : CHUNK;
    var pass = new Prefill(prompts, running.size(), most);
    var left = new AtomicInteger(next.size()); // that are counted as waiting
    try {
      inDecode(() -> {
        prompts.makeRoom();
        int planned = pass.add(next);
        // what the pass had no time for comes first in the next one
        for (int i = next.size() - 1; i >= planned; i--) waiting.addFirst(next.get(i));
        var scores = pass.run(base);
        // they wait no more once they have a token
        queued.addAndGet(-pass.started().size());
        left.addAndGet(-pass.started().size());
        if (!pass.started().isEmpty()) decoding.sample(pass.started(), scores);
      });
    } catch (RuntimeException | Error e) {
      pass.failed();
      waiting.removeAll(next);
      queued.addAndGet(-left.get());
      for (var generation : next) generation.fail(e);
      return;
    }
    running.addAll(pass.started());
    finishDone();
  }

  /// One token for every running sequence.
  private void step() {
    inDecode(() -> decoding.step(running));
    finishDone();
  }

  private static void inDecode(Runnable work) {
    Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                work.run();
              }
            });
  }

  /// Ends finished sequences and closes the gaps they leave with the last ones; what they leave
  /// behind is kept for conversations that go on.
  private void finishDone() {
    for (int slot = running.size() - 1; slot >= 0; slot--) {
      var generation = running.get(slot);
      if (!done(generation)) continue;
      var tokens = generation.computed();
      var resident =
          new Residents.Resident(
              tokens,
              generation.prompt.length,
              generation.adapter,
              generation.segment(),
              generation.base());
      prompts.residents().put(slot, resident);
      var moved = running.removeLast();
      pace.took(generation.age());
      generation.end();
      if (moved == generation) continue;
      int free = slot;
      int last = running.size();
      running.set(free, moved);
      Device.cpu().run(Urgency.DECODE, () -> prompts.swap(last, free, moved.length - moved.base()));
    }
  }

  private boolean done(Generation generation) {
    return generation.cancelled()
        || generation.stops.contains(generation.last)
        || generation.sampled() >= generation.sampling.maxTokens()
        || generation.length >= longest;
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (var more : arriving) waiting.addAll(more);
    for (var generations : List.of(running, waiting)) {
      for (var one : generations) one.fail(new IllegalStateException("engine closed"));
    }
    free();
  }

  private void free() {
    Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              decoding.close();
              prompts.close();
            });
  }
}

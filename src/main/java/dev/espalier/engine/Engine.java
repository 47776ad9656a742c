package dev.espalier.engine;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Sampling;
import dev.espalier.model.Adapters;
import dev.espalier.model.FrozenLora;
import dev.espalier.model.MixedAdapters;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// Generates for many requests at once: each joins the running batch when a slot is free and leaves
/// it when it is done, whichever adapter it is for.
public final class Engine implements AutoCloseable {
  private static final int WAITING = 4096;

  /// A pass that has this many tokens to compute takes no more prompts.
  private static final int PASS = 1024;

  /// Tokens of one prompt that are computed while others wait for their next token.
  private static final int CHUNK = 512;

  private final BaseModel base;
  private final int slots;
  private final PromptCache prompts;
  private final BlockingQueue<List<Generation>> arriving = new LinkedBlockingQueue<>();
  private final Semaphore room = new Semaphore(WAITING);
  private final Deque<Generation> waiting = new ArrayDeque<>(); // on the engine's thread only
  private final List<Generation> running = new ArrayList<>(); // index = slot
  private final Thread thread;
  private @Nullable PrefixGroups prefixes;
  private @Nullable List<@Nullable FrozenLora> mixedFor;
  private @Nullable MixedAdapters mixed;
  private volatile boolean closed;

  /// @param slots how many sequences decode together
  public Engine(BaseModel base, int slots) {
    this.base = base;
    this.slots = slots;
    prompts = new PromptCache(base, slots);
    thread = Thread.ofPlatform().daemon().name("espalier-engine").start(this::loop);
  }

  public BaseModel base() {
    return base;
  }

  /// Queues a prompt.
  ///
  /// @param stops tokens that end the completion
  /// @param adapter null for the base alone
  /// @throws ChatException 400 if the prompt cannot fit the context, 429 if too many wait
  public Generation generate(
      int[] prompt, Sampling sampling, Set<Integer> stops, @Nullable Adapter adapter) {
    var generation = prepare(prompt, sampling, stops, adapter);
    queue(List.of(generation));
    return generation;
  }

  /// A generation that is not queued yet.
  ///
  /// @throws ChatException 400 if the prompt cannot fit the context
  Generation prepare(
      int[] prompt, Sampling sampling, Set<Integer> stops, @Nullable Adapter adapter) {
    int context = base.shape().context();
    if (prompt.length == 0) throw new ChatException(400, "the prompt is empty");
    if (prompt.length >= context) {
      throw new ChatException(
          400,
          "the prompt has %d tokens, but the model's context is %d"
              .formatted(prompt.length, context));
    }
    return new Generation(prompt, sampling, stops, adapter);
  }

  /// Queues generations as one batch: nothing else comes between them, so that with nothing else
  /// running which of them decode together does not depend on time.
  ///
  /// @throws ChatException 429 if too many wait
  void queue(List<Generation> generations) {
    if (closed) throw new ChatException(503, "the engine is shutting down");
    if (!room.tryAcquire(generations.size())) {
      throw new ChatException(429, WAITING + " requests are waiting already: try again later");
    }
    arriving.add(generations);
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
    var next = new ArrayList<Generation>();
    int tokens = 0;
    while (running.size() + next.size() < slots && !waiting.isEmpty()) {
      var first = waiting.getFirst();
      boolean fits =
          next.isEmpty()
              || (tokens < PASS && Objects.equals(first.adapter, next.getFirst().adapter));
      if (!fits) break;
      waiting.removeFirst();
      room.release();
      if (first.cancelled()) {
        first.end();
        continue;
      }
      next.add(first);
      tokens += first.prompt.length - prompts.held(first.prompt, first.adapter);
    }
    if (!next.isEmpty()) start(next);
  }

  private void start(List<Generation> next) {
    int most = running.isEmpty() ? Integer.MAX_VALUE : CHUNK;
    var pass = new Prefill(prompts, next.getFirst().adapter, running.size(), most);
    try {
      inDecode(() -> {
        prompts.makeRoom();
        int planned = pass.add(next);
        // what the pass had no time for comes first in the next one
        for (int i = next.size() - 1; i >= planned; i--) {
          waiting.addFirst(next.get(i));
          room.acquireUninterruptibly();
        }
        var scores = pass.run(base);
        if (!pass.started().isEmpty()) sample(pass.started(), scores);
      });
    } catch (RuntimeException | Error e) {
      pass.failed();
      waiting.removeAll(next);
      for (var generation : next) generation.fail(e);
      return;
    }
    running.addAll(pass.started());
    finishDone();
  }

  /// One token for every running sequence.
  private void step() {
    inDecode(this::decode);
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

  private void decode() {
    var rows = padded();
    int count = rows.size();
    var tokens = new long[count];
    var positions = new long[count];
    var slot = new int[count];
    var at = new int[count];
    for (int i = 0; i < count; i++) {
      var generation = rows.get(i);
      tokens[i] = generation.last;
      positions[i] = generation.length - 1L;
      slot[i] = i < running.size() ? i : prompts.cache().scratch();
      at[i] = generation.length - 1 - generation.base();
      prompts.cache().reserve(at[i] + 1);
    }
    var whole = new TensorOptions(ScalarType.Long);
    var attention =
        new DecodeAttention(
            prompts.cache(), slot, at, prefixes(rows), base.shape().kvHeads(), base.dtype());
    var adapters = adapters(rows);
    var hidden =
        base.decoder()
            .hidden(
                base.weights(),
                torch.tensor(tokens, whole).view(-1, 1),
                torch.tensor(positions, whole).view(-1, 1),
                attention,
                adapters);
    sample(running, base.decoder().logits(base.weights(), hidden, adapters));
  }

  /// The running rows, and copies of the first up to a number that comes often: libtorch compiles
  /// its products for every size that it meets, and has none better for one row than for four.
  private List<Generation> padded() {
    int count = running.size();
    int step = count <= 16 ? KvCache.ROWS : 2 * KvCache.ROWS;
    var rows = new ArrayList<>(running);
    while (rows.size() % step != 0) rows.add(running.getFirst());
    return rows;
  }

  /// What the rows share, kept while no other segment comes into it; null if they share nothing.
  private @Nullable PrefixGroups prefixes(List<Generation> rows) {
    var segments = new ArrayList<@Nullable Segment>();
    var distinct = new LinkedHashSet<Segment>();
    var bases = new int[rows.size()];
    for (int i = 0; i < bases.length; i++) {
      var segment = rows.get(i).segment();
      segments.add(segment);
      if (segment != null) distinct.add(segment);
      bases[i] = rows.get(i).base();
    }
    if (distinct.isEmpty()) return null;
    if (prefixes == null || !prefixes.covers(distinct)) {
      if (prefixes != null) prefixes.close();
      prefixes = new PrefixGroups(List.copyOf(distinct), base.shape());
    }
    prefixes.rows(segments, bases, base.dtype());
    return prefixes;
  }

  /// The adapters of the running rows, kept while the batch stays the same.
  private Adapters adapters(List<Generation> generations) {
    var rows = new ArrayList<@Nullable FrozenLora>();
    for (var generation : generations) {
      var adapter = generation.adapter;
      rows.add(adapter == null ? null : adapter.lora());
    }
    var first = rows.getFirst();
    if (rows.stream().allMatch(row -> row == first)) {
      return first == null ? Adapters.NONE : first;
    }
    if (mixed == null || !rows.equals(mixedFor)) {
      if (mixed != null) mixed.close();
      mixed = new MixedAdapters(rows);
      mixedFor = rows;
    }
    return mixed;
  }

  /// Draws a token for each row of (B, 1, V), whose last rows may be copies.
  private void sample(List<Generation> rows, Tensor logits) {
    long size = base.format().tokenizer().size(); // padded heads have more
    var temperatures = new float[rows.size()];
    for (int i = 0; i < temperatures.length; i++) {
      temperatures[i] = rows.get(i).sampler.temperature();
    }
    var known =
        logits.squeeze(1).narrow(0, 0, rows.size()).narrow(1, 0, Math.min(size, logits.size(2)));
    var scores = new Scores(known, temperatures);
    for (int i = 0; i < temperatures.length; i++) {
      var generation = rows.get(i);
      generation.emit(generation.sampler.draw(scores, i));
    }
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
        || generation.length >= base.shape().context();
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
    Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              if (prefixes != null) prefixes.close();
              if (mixed != null) mixed.close();
              prompts.close();
            });
  }
}

package dev.espalier.engine;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.Sampling;
import dev.espalier.model.Adapters;
import dev.espalier.model.Lora;
import dev.espalier.model.MixedAdapters;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
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

  private final BaseModel base;
  private final int slots;
  private final KvCache cache;
  private final BlockingQueue<List<Generation>> arriving = new LinkedBlockingQueue<>();
  private final Semaphore room = new Semaphore(WAITING);
  private final Deque<Generation> waiting = new ArrayDeque<>(); // on the engine's thread only
  private final List<Generation> running = new ArrayList<>(); // index = slot
  private final Residents residents;
  private final Thread thread;
  private @Nullable List<@Nullable Lora> mixedFor;
  private @Nullable MixedAdapters mixed;
  private volatile boolean closed;

  /// @param slots how many sequences decode together
  public Engine(BaseModel base, int slots) {
    this.base = base;
    this.slots = slots;
    this.cache = new KvCache(base.shape(), slots, base.dtype());
    this.residents = new Residents(slots);
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
    var prefill = new Prefill(cache, residents);
    int slot = running.size();
    while (slot < slots && !waiting.isEmpty() && prefill.takes(waiting.getFirst())) {
      var next = waiting.removeFirst();
      room.release();
      if (!next.cancelled()) prefill.add(next, slot++);
    }
    if (slot > running.size()) start(prefill);
  }

  private void start(Prefill prefill) {
    var started = prefill.generations();
    try {
      inDecode(() -> sample(started, prefill.run(base)));
    } catch (RuntimeException | Error e) {
      prefill.failed();
      for (var generation : started) generation.fail(e);
      return;
    }
    running.addAll(started);
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
    int rows = running.size();
    var tokens = new long[rows];
    var positions = new long[rows];
    var at = new int[rows];
    for (int i = 0; i < rows; i++) {
      tokens[i] = running.get(i).last;
      at[i] = running.get(i).length - 1;
      positions[i] = at[i];
      cache.reserve(running.get(i).length);
    }
    var shape = base.shape();
    var whole = new TensorOptions(ScalarType.Long);
    var attention = new DecodeAttention(cache, at, shape.kvHeads(), base.dtype());
    var adapters = adapters();
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

  /// The adapters of the running rows, kept while the batch stays the same.
  private Adapters adapters() {
    var rows = new ArrayList<@Nullable Lora>();
    for (var generation : running) {
      var adapter = generation.adapter;
      rows.add(adapter == null ? null : adapter.lora());
    }
    var first = rows.getFirst();
    if (rows.stream().allMatch(row -> row == first)) {
      return first == null ? Adapters.NONE : first.cast(base.dtype());
    }
    if (mixed == null || !rows.equals(mixedFor)) {
      if (mixed != null) mixed.close();
      mixed = new MixedAdapters(rows, base.dtype());
      mixedFor = rows;
    }
    return mixed;
  }

  /// Draws a token for each row of (B, 1, V).
  private void sample(List<Generation> rows, Tensor logits) {
    int vocabulary = base.shape().vocabulary();
    int known = Math.min(vocabulary, base.format().tokenizer().size()); // padded heads have more
    var scores = new float[rows.size() * vocabulary];
    logits.contiguous().data_ptr_float().get(scores);
    for (int i = 0; i < rows.size(); i++) {
      var generation = rows.get(i);
      var draw = generation.sampler.draw(scores, i * vocabulary, known);
      generation.last = draw.id();
      generation.length++;
      generation.sampled++;
      generation.emit(new Generation.Token(draw.id(), draw.logprob()));
    }
  }

  /// Ends finished sequences and closes the gaps they leave with the last ones.
  private void finishDone() {
    for (int slot = running.size() - 1; slot >= 0; slot--) {
      var generation = running.get(slot);
      boolean done =
          generation.cancelled()
              || generation.stops.contains(generation.last)
              || generation.sampled >= generation.sampling.maxTokens()
              || generation.length >= base.shape().context();
      if (!done) continue;
      generation.end();
      var moved = running.removeLast();
      if (moved == generation) continue;
      int free = slot;
      running.set(free, moved);
      int from = running.size();
      Device.cpu().run(Urgency.DECODE, () -> cache.copy(from, free, moved.length));
      residents.copy(from, free);
    }
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
    Device.cpu().run(Urgency.DECODE, cache::close);
  }
}

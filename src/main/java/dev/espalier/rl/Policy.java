package dev.espalier.rl;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.engine.Adapter;
import dev.espalier.engine.BaseModel;
import dev.espalier.engine.Engine;
import dev.espalier.engine.LocalModel;
import dev.espalier.model.Activations;
import dev.espalier.model.Lora;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.train.LoraLearner;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// The adapter that learns, and the engine it samples with: the same masters, cast the same way.
final class Policy implements AutoCloseable {
  private final BaseModel base;
  private final Engine engine;
  private final Lora masters;
  private final UnaryOperator<ChatRequest> view;
  private final Deque<Adapter> casts = new ArrayDeque<>(); // the newest last
  private final int kept;

  /// Takes over the masters.
  ///
  /// @param slots how many attempts decode together at most
  /// @param length tokens that each of them should have room for
  /// @param view what is done to every request first
  /// @param kept how many casts may be sampled from at once
  Policy(
      BaseModel base,
      Lora masters,
      int slots,
      int length,
      UnaryOperator<ChatRequest> view,
      int kept) {
    this.base = base;
    this.masters = masters;
    this.view = view;
    this.kept = kept;
    engine = new Engine(base, Engine.slots(base, slots, length));
  }

  private Adapter cast(int version) {
    var frozen = Device.cpu().run(Urgency.TRAIN, () -> masters.frozen(base.shape(), base.dtype()));
    return new Adapter("policy", "policy@" + version, frozen);
  }

  /// Bytes that its attempts may come to take.
  long most() {
    return engine.most();
  }

  /// How many tokens an attempt can have.
  int longest() {
    return engine.longest();
  }

  Lora masters() {
    return masters;
  }

  /// @param temperature that it samples at
  LoraLearner learner(double temperature, Activations activations) {
    return new LoraLearner(base.weights(), masters, base.dtype(), temperature, activations);
  }

  /// Samples with the masters as they are now. Nothing that an earlier version left in the cache is
  /// used again, so a step depends on the masters alone.
  ChatModel at(int version) {
    if (casts.size() == kept) casts.remove().close();
    var adapter = cast(version);
    casts.add(adapter);
    return new Viewed(LocalModel.of(engine, adapter), view);
  }

  private record Viewed(ChatModel model, UnaryOperator<ChatRequest> view) implements ChatModel {
    @Override
    public Completion complete(ChatRequest request) {
      return model.complete(view.apply(request));
    }

    @Override
    public List<Supplier<Completion>> completeAll(List<ChatRequest> requests) {
      return model.completeAll(requests.stream().map(view).toList());
    }
  }

  @Override
  public void close() {
    engine.close();
    casts.forEach(Adapter::close);
    masters.close();
  }
}

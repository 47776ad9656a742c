package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.TrainingSequence;
import dev.espalier.dataset.Dataset;
import dev.espalier.distil.DistilConfig;
import dev.espalier.engine.BaseModel;
import dev.espalier.store.Store;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The demo's student on a base model in this process: trained and served by the same weights.
final class DemoModel implements DemoStudent {
  private final BaseModel base;
  private final Store store;
  private final Serving serving;
  private final Path runs;
  private final DistilConfig config;

  /// Takes over the base model, to close it.
  ///
  /// @param runs where the folders of training runs are
  DemoModel(BaseModel base, Store store, Path runs, DistilConfig config) {
    this.base = base;
    this.store = store;
    this.runs = runs;
    this.config = config;
    serving = new Serving(base, store);
  }

  @Override
  public ChatModel base() {
    return Objects.requireNonNull(serving.find(base.name()), "a base model serves itself");
  }

  @Override
  public int tokens(ChatRequest conversation) {
    return base.format().encode(conversation).stream()
        .mapToInt(TrainingSequence::length)
        .max()
        .orElse(0);
  }

  @Override
  public int context() {
    return base.shape().context();
  }

  @Override
  public void distil(Dataset dataset, String name, int epochs, Consumer<ObjectNode> progress) {
    var result = Teaching.train(base, dataset, config.with(epochs), run(name), progress);
    Teaching.keep(store, name, base, dataset, result);
  }

  @Override
  public Reinforcement reinforce(String from, String name, Consumer<ObjectNode> progress) {
    var practice = new DemoPractice(base, store, serving, run(name), config.seed());
    return practice.of(store.adapter(from).orElseThrow(), name, progress);
  }

  /// A folder of its own, so that a run starts anew and not where an old one ended.
  private Path run(String name) {
    return runs.resolve(name + "-" + Instant.now().toEpochMilli());
  }

  @Override
  public @Nullable ChatModel find(String name) {
    return serving.find(name);
  }

  @Override
  public @Nullable String whyNot(String name) {
    return serving.whyNot(name);
  }

  @Override
  public List<String> names() {
    return serving.names();
  }

  @Override
  public byte[] token(String model, int id) {
    return serving.token(model, id);
  }

  @Override
  public void close() {
    serving.close();
  }
}

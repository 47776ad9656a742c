package dev.espalier.cli;

import dev.espalier.dataset.Conversations;
import dev.espalier.dataset.Dataset;
import dev.espalier.distil.Distil;
import dev.espalier.distil.DistilConfig;
import dev.espalier.distil.Sequences;
import dev.espalier.engine.BaseModel;
import dev.espalier.store.Adapter;
import dev.espalier.store.Example;
import dev.espalier.store.PruningRules;
import dev.espalier.store.Store;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// From a dataset to an adapter that the store knows, with the pruning rules it was trained under.
final class Teaching {
  private Teaching() {}

  /// Refuses a name that could not be a folder's and a model's, or is the base model's, which would
  /// always answer.
  static void checkName(String name, Path base) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw new IllegalArgumentException("--name may have letters, digits, dot, dash, underscore");
    }
    if (name.equals(BaseModel.name(base))) {
      throw new IllegalArgumentException(
          "--name %s is the base model's own name: choose another".formatted(name));
    }
  }

  /// Refuses a rank of a new adapter that is too high: before there is anything to wait for.
  static void checkRank(BaseModel base, int rank) {
    int highest = base.shape().highestRank();
    if (rank > highest) {
      throw new IllegalArgumentException(
          "--rank %d is too high: %s has linear layers of %d, so at most that"
              .formatted(rank, base.name(), highest));
    }
  }

  /// The adapter of that name.
  ///
  /// @param data the store's folder
  /// @throws IllegalArgumentException that lists the names there are
  static Adapter known(Store store, String name, Path data) {
    return store
        .adapter(name)
        .orElseThrow(() ->
            new IllegalArgumentException(
                "there is no adapter \"%s\" in %s; there are %s"
                    .formatted(name, data, store.adapters().stream().map(Adapter::name).toList())));
  }

  /// Trains on the dataset.
  ///
  /// @param run the run's folder, continued if it is there
  static Distil.Result train(
      BaseModel base,
      Dataset dataset,
      DistilConfig config,
      Path run,
      Consumer<ObjectNode> progress) {
    return Distil.run(
        base,
        sequences(dataset.train(), base),
        sequences(dataset.validation(), base),
        config,
        run,
        progress);
  }

  private static Sequences sequences(List<Example> examples, BaseModel base) {
    return Sequences.of(Conversations.merged(examples), base.format(), base.shape().context());
  }

  /// Makes the trained adapter known by that name.
  static void keep(
      Store store, String name, BaseModel base, Dataset dataset, Distil.Result result) {
    keep(store, name, base, dataset.rules(), result.adapter(), result.toJson());
  }

  /// Makes an adapter known by that name, its rules beside its weights.
  ///
  /// @param folder its PEFT folder
  /// @param metrics what was measured; null if nothing was
  static void keep(
      Store store,
      String name,
      BaseModel base,
      PruningRules rules,
      Path folder,
      @Nullable ObjectNode metrics) {
    rules.save(folder);
    register(store, name, base.folder(), rules, folder, metrics);
  }

  /// The same of a folder that has its rules already.
  ///
  /// @param base the folder of the model that it belongs to
  static void register(
      Store store,
      String name,
      Path base,
      PruningRules rules,
      Path folder,
      @Nullable ObjectNode metrics) {
    store.put(
        new Adapter(
            name,
            folder.toAbsolutePath().toString(),
            base.toAbsolutePath().normalize().toString(),
            Instant.now(),
            rules.rules().isEmpty() ? null : rules.toJson(),
            metrics == null ? null : metrics.toString()));
  }
}

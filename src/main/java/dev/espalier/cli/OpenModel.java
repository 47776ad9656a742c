package dev.espalier.cli;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.RemoteConfig;
import dev.espalier.chat.RemoteModel;
import dev.espalier.engine.Adapter;
import dev.espalier.engine.BaseModel;
import dev.espalier.engine.Engine;
import dev.espalier.engine.LocalModel;
import dev.espalier.model.Peft;
import dev.espalier.store.PruningRules;
import dev.espalier.store.Store;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/// A model that answers until it is closed.
///
/// @param name says which it is, an adapter's also as what it was trained to
/// @param unmatched counts requests that lacked static text that the adapter was trained without
/// @param owned what is closed with it, in order: the engine before what it runs on
record OpenModel(String name, ChatModel model, AtomicLong unmatched, List<Runnable> owned)
    implements AutoCloseable {
  /// A model of that name behind an OpenAI-compatible server; the key is taken from
  /// `OPENAI_API_KEY`.
  static OpenModel remote(URI url, String name) {
    var config = RemoteConfig.of(url, System.getenv("OPENAI_API_KEY"), name);
    return new OpenModel(
        "%s at %s".formatted(name, url), new RemoteModel(config), new AtomicLong(), List.of());
  }

  /// A base model alone.
  ///
  /// @param slots how many requests decode together at most
  static OpenModel base(Path folder, int slots) {
    var base = BaseModel.load(folder);
    var engine = new Engine(base, Engine.slots(base, slots, Engine.SEQUENCE));
    return new OpenModel(
        base.name(),
        LocalModel.base(engine),
        new AtomicLong(),
        List.of(engine::close, base::close));
  }

  /// An adapter of a base model, its requests pruned by its rules.
  ///
  /// @param name a PEFT folder, or an adapter that the store in `data` knows
  static OpenModel adapter(Path folder, String name, Path data, int slots) {
    var peft = adapterFolder(name, data);
    var base = BaseModel.load(folder);
    try {
      return adapter(base, name, peft, slots, List.of(base::close));
    } catch (RuntimeException e) {
      base.close();
      throw e;
    }
  }

  /// The same on a base model that stays its owner's.
  static OpenModel adapter(BaseModel base, String name, Path data, int slots) {
    return adapter(base, name, adapterFolder(name, data), slots, List.of());
  }

  private static OpenModel adapter(
      BaseModel base, String name, Path peft, int slots, List<Runnable> owned) {
    var rules = PruningRules.load(peft);
    var adapter = Adapter.load(name, name, peft, base);
    var engine = new Engine(base, Engine.slots(base, slots, Engine.SEQUENCE));
    var unmatched = new AtomicLong();
    var model = PrunedModel.of(LocalModel.of(engine, adapter), rules, unmatched);
    var all = new ArrayList<Runnable>(List.of(engine::close, adapter::close));
    all.addAll(owned);
    return new OpenModel(name + "@" + version(peft), model, unmatched, all);
  }

  /// What tells an adapter from another under its name: its weights.
  static String version(Path peft) {
    return Worlds.digest(peft.resolve(Peft.WEIGHTS));
  }

  /// The PEFT folder of an adapter.
  ///
  /// @throws IllegalArgumentException if there is none of that name
  static Path adapterFolder(String name, Path data) {
    if (Files.isDirectory(Path.of(name))) return Path.of(name);
    try (var store = Store.openExisting(data)) {
      for (var known : store.adapters()) {
        if (known.name().equals(name)) return Path.of(known.path());
      }
      var names = store.adapters().stream().map(known -> known.name()).toList();
      throw new IllegalArgumentException(
          "no adapter %s in %s, which has %s: name one of these, or a PEFT folder"
              .formatted(name, data, names.isEmpty() ? "none" : String.join(", ", names)));
    }
  }

  @Override
  public void close() {
    owned.forEach(Runnable::run);
  }
}

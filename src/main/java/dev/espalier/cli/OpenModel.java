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
import java.util.ArrayDeque;
import java.util.Deque;

/// A model that answers until it is closed.
///
/// @param owned what is closed with it, in order: the engine before what it runs on
record OpenModel(ChatModel model, Deque<Runnable> owned) implements AutoCloseable {
  /// A model of that name behind an OpenAI-compatible server; the key is taken from
  /// `OPENAI_API_KEY`.
  static OpenModel remote(URI url, String name) {
    var config = RemoteConfig.of(url, System.getenv("OPENAI_API_KEY"), name);
    return new OpenModel(new RemoteModel(config), new ArrayDeque<>());
  }

  /// A base model alone.
  ///
  /// @param slots how many requests decode together
  static OpenModel base(Path folder, int slots) {
    var owned = new ArrayDeque<Runnable>();
    return new OpenModel(new LocalModel(engine(folder, slots, owned), null), owned);
  }

  /// An adapter of a base model, its requests pruned by its rules.
  ///
  /// @param name a PEFT folder, or an adapter that the store in `data` knows
  static OpenModel adapter(Path folder, String name, Path data, int slots) {
    var peft = adapterFolder(name, data);
    var rules = PruningRules.load(peft);
    var owned = new ArrayDeque<Runnable>();
    try {
      var engine = engine(folder, slots, owned);
      var lora = Peft.load(peft, engine.base().shape());
      var local = new LocalModel(engine, new Adapter(name, name, lora));
      owned.addLast(lora::close);
      return new OpenModel(request -> local.complete(rules.apply(request).request()), owned);
    } catch (RuntimeException e) {
      owned.forEach(Runnable::run);
      throw e;
    }
  }

  private static Engine engine(Path folder, int slots, Deque<Runnable> owned) {
    var base = BaseModel.load(folder);
    var engine = new Engine(base, slots);
    owned.addFirst(base::close);
    owned.addFirst(engine::close);
    return engine;
  }

  private static Path adapterFolder(String name, Path data) {
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

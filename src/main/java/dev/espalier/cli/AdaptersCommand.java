package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.model.Gguf;
import dev.espalier.model.Lora;
import dev.espalier.model.MergedModel;
import dev.espalier.model.ModelShape;
import dev.espalier.model.Peft;
import dev.espalier.model.WholeFolder;
import dev.espalier.store.Adapter;
import dev.espalier.store.Durability;
import dev.espalier.store.PruningRules;
import dev.espalier.store.Route;
import dev.espalier.store.Route.Target;
import dev.espalier.store.Store;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `espalier adapters`: what there is, what comes from elsewhere and what goes there.
@Command(
    name = "adapters",
    description = "Lists, imports, exports and deletes adapters.",
    mixinStandardHelpOptions = true)
final class AdaptersCommand implements Callable<Integer> {
  private static final String NAME = "NAME";

  @Option(
      names = "--data",
      scope = ScopeType.INHERIT,
      description = "The data folder (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("espalier-data");

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "One JSON object a line on standard output.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    return list();
  }

  @Command(name = "list", description = "What there is.", mixinStandardHelpOptions = true)
  int list() {
    try (var store = Store.openExisting(data)) {
      for (var adapter : store.adapters()) {
        boolean there = Files.isDirectory(Path.of(adapter.path()));
        say(
            Json.object()
                .put("name", adapter.name())
                .put("base", adapter.base())
                .put("folder", adapter.path())
                .put("created", adapter.created().toString())
                .put("there", there)
                .put("pruning_rules", adapter.rules().rules().size()),
            "%-24s %s  on %s%s"
                .formatted(
                    adapter.name(),
                    adapter.created(),
                    Path.of(adapter.base()).getFileName(),
                    there ? "" : ", but its folder %s is gone".formatted(adapter.path())));
      }
    }
    return 0;
  }

  @Command(
      name = "import",
      description = "Serves a PEFT folder, which is copied, under a name.",
      mixinStandardHelpOptions = true)
  int add(
      @Parameters(paramLabel = "FOLDER", description = "adapter_config.json and its weights.")
          Path from,
      @Option(names = "--name", required = true, description = "What clients will call it.")
          String name,
      @Option(names = "--model", description = "Its base model (default: the built-in one).")
          @Nullable Path model)
      throws IOException {
    var base = model == null ? BuiltInModel.folder() : model;
    Teaching.checkName(name, base);
    with(from, base, lora -> {}); // refuses what could not be served
    var rules = PruningRules.load(from);
    try (var store = Store.open(data, Durability.PROCESS)) {
      if (store.adapter(name).isPresent()) {
        throw new IllegalArgumentException(
            "there is an adapter \"%s\" already: take another --name, or delete it first"
                .formatted(name));
      }
      var folder = imported(name);
      WholeFolder.write(folder, beside -> copy(from, beside));
      Teaching.register(store, name, base, rules, folder, null);
      say(
          Json.object().put("event", "imported").put("name", name).put("folder", folder.toString()),
          "%s is served by `espalier up`, from %s".formatted(name, folder));
    }
    return 0;
  }

  @Command(
      name = "export",
      description = "Writes an adapter for other software.",
      mixinStandardHelpOptions = true)
  int export(
      @Parameters(paramLabel = NAME, description = "The adapter's.") String name,
      @Option(
              names = "--format",
              defaultValue = "peft",
              description =
                  "peft, a folder that PEFT and vLLM load; merged, a model folder with the adapter's"
                      + " part added; gguf, a file for llama.cpp's --lora (default: peft).")
          String format,
      @Option(names = "--to", required = true, description = "The folder or file to write.")
          Path to)
      throws IOException {
    if (Files.exists(to)) {
      throw new IllegalArgumentException("--to %s is there already: name a new one".formatted(to));
    }
    OutputFile.check("--to", to);
    Adapter adapter;
    try (var store = Store.openExisting(data)) {
      adapter = Teaching.known(store, name, data);
    }
    var from = Path.of(adapter.path());
    var base = Path.of(adapter.base());
    switch (format) {
      case "peft" -> WholeFolder.write(to, beside -> copy(from, beside));
      case "merged" ->
          WholeFolder.write(
              to,
              beside -> {
                with(from, base, lora -> MergedModel.write(base, lora, beside));
                if (!adapter.rules().rules().isEmpty()) adapter.rules().save(beside);
              });
      case "gguf" -> with(from, base, lora -> Gguf.writeAdapter(to, lora, ModelShape.read(base)));
      default ->
          throw new IllegalArgumentException("--format is peft, merged or gguf, not " + format);
    }
    if (!adapter.rules().rules().isEmpty()) {
      err()
          .printf(
              "espalier: %s was trained without some static text of its prompts, which `espalier up`"
                  + " removes for it; elsewhere it is yours to remove: %s has it%n",
              name, from.resolve(PruningRules.FILE));
    }
    say(
        Json.object().put("event", "exported").put("name", name).put("to", to.toString()),
        "%s, as %s: %s".formatted(name, format, to));
    return 0;
  }

  @Command(
      name = "delete",
      description = "Forgets an adapter; what was imported is deleted, a run's folder stays.",
      mixinStandardHelpOptions = true)
  int delete(@Parameters(paramLabel = NAME, description = "The adapter's.") String name)
      throws IOException {
    try (var store = Store.openExisting(data)) {
      var adapter = Teaching.known(store, name, data);
      var target = new Target.Adapter(name);
      var routes =
          store.routes().stream()
              .filter(route -> route.targets().contains(target))
              .map(Route::model)
              .toList();
      if (!routes.isEmpty()) {
        throw new IllegalArgumentException(
            "%s answers for %s: DELETE /api/routes/%s of `espalier up` first"
                .formatted(name, routes, routes.getFirst()));
      }
      store.deleteAdapter(name);
      boolean imported = Path.of(adapter.path()).equals(imported(name));
      if (imported) WholeFolder.delete(imported(name));
      say(
          Json.object()
              .put("event", "deleted")
              .put("name", name)
              .put("kept", imported ? null : adapter.path()),
          imported
              ? name + " is gone"
              : "%s is forgotten; %s stays".formatted(name, adapter.path()));
    }
    return 0;
  }

  private Path imported(String name) {
    return data.resolve("adapters").resolve(name).toAbsolutePath().normalize();
  }

  private static void with(Path folder, Path base, Consumer<Lora> use) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var lora = Peft.load(folder, ModelShape.read(base))) {
                use.accept(lora);
              }
            });
  }

  private static void copy(Path from, Path to) throws IOException {
    for (var file : Peft.FILES) Files.copy(from.resolve(file), to.resolve(file));
    var rules = PruningRules.load(from);
    if (!rules.rules().isEmpty()) rules.save(to);
  }

  private void say(ObjectNode line, String text) {
    var out = commandSpec().commandLine().getOut();
    out.println(json ? line : text);
    out.flush();
  }

  private PrintWriter err() {
    return commandSpec().commandLine().getErr();
  }

  private CommandSpec commandSpec() {
    if (spec == null) throw new IllegalStateException("picocli sets the spec");
    return spec;
  }
}

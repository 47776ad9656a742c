package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import dev.espalier.model.Peft;
import dev.espalier.store.Adapter;
import dev.espalier.store.Durability;
import dev.espalier.store.PruningRule;
import dev.espalier.store.PruningRules;
import dev.espalier.store.Route;
import dev.espalier.store.Route.Target;
import dev.espalier.store.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Adapters that come from elsewhere and go there.
final class AdaptersCommandTest {
  private static final Path MODEL = Path.of("src/test/resources/fixtures/qwen3-tiny");
  private static final Path ADAPTER = MODEL.resolve("lora-all-linear");

  @TempDir private Path folder = Path.of("");
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... options) {
    var all = new ArrayList<>(List.of("adapters"));
    all.addAll(List.of(options));
    all.addAll(List.of("--json", "--data=" + data()));
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(String[]::new));
  }

  private Path data() {
    return folder.resolve("data");
  }

  private int imported(String name) {
    return run("import", ADAPTER.toString(), "--name=" + name, "--model=" + MODEL);
  }

  private String refused(String... options) {
    assertThat(run(options)).isEqualTo(1);
    assertThat(err.toString()).startsWith("espalier: ").hasLineCount(1);
    return err.toString();
  }

  @Test
  void whatIsImportedIsServedListedExportedAndDeleted() {
    assertThat(imported("mine")).as(err.toString()).isZero();
    try (var store = Store.openExisting(data())) {
      var adapter = store.adapter("mine").orElseThrow();
      assertThat(Path.of(adapter.base())).isEqualTo(MODEL.toAbsolutePath());
      for (var file : Peft.FILES) {
        assertThat(Path.of(adapter.path()).resolve(file))
            .hasSameBinaryContentAs(ADAPTER.resolve(file));
      }
    }
    assertThat(run()).isZero();
    assertThat(Json.parse(out.toString()).path("name").asString()).isEqualTo("mine");

    var there = folder.resolve("there");
    assertThat(run("export", "mine", "--to=" + there)).as(err.toString()).isZero();
    assertThat(there).isDirectoryContaining("glob:**adapter_model.safetensors");
    var model = folder.resolve("model");
    assertThat(run("export", "mine", "--format=merged", "--to=" + model)).isZero();
    assertThat(model.resolve("config.json")).hasSameBinaryContentAs(MODEL.resolve("config.json"));
    var file = folder.resolve("mine.gguf");
    assertThat(run("export", "mine", "--format=gguf", "--to=" + file)).isZero();
    assertThat(file).isNotEmptyFile();

    assertThat(run("delete", "mine")).isZero();
    assertThat(data().resolve("adapters")).isEmptyDirectory();
    assertThat(run("list")).isZero();
    assertThat(out.toString()).isEmpty();
    assertThat(folder).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void itsPruningRulesGoAlong() throws IOException {
    var from = Files.createDirectories(folder.resolve("from"));
    for (var file : Peft.FILES) Files.copy(ADAPTER.resolve(file), from.resolve(file));
    var rules =
        new PruningRules(List.of(new PruningRule(PruningRule.Part.SYSTEM, "You are helpful.")));
    rules.save(from);
    assertThat(run("import", from.toString(), "--name=mine", "--model=" + MODEL)).isZero();
    try (var store = Store.openExisting(data())) {
      assertThat(store.adapter("mine").orElseThrow().rules()).isEqualTo(rules);
    }
    for (var format : List.of("peft", "merged")) {
      var to = folder.resolve(format);
      assertThat(run("export", "mine", "--format=" + format, "--to=" + to)).isZero();
      assertThat(PruningRules.load(to)).isEqualTo(rules);
      assertThat(err.toString()).contains("yours to remove");
    }
  }

  @Test
  void whatCouldNotBeServedIsRefusedAndLeavesNothing() throws IOException {
    var other = Path.of("src/test/resources/fixtures/llama-tiny/lora-rslora");
    assertThat(refused("import", other.toString(), "--name=mine", "--model=" + MODEL))
        .contains("the model and the config ask for");
    assertThat(refused("import", MODEL.toString(), "--name=mine", "--model=" + MODEL))
        .contains("is this a PEFT adapter folder?");
    assertThat(refused("import", ADAPTER.toString(), "--name=a/b", "--model=" + MODEL))
        .contains("--name may have letters");
    assertThat(refused("import", ADAPTER.toString(), "--name=qwen3-tiny", "--model=" + MODEL))
        .contains("the base model's own name");
    assertThat(data()).doesNotExist();
    assertThat(imported("mine")).isZero();
    assertThat(refused("import", ADAPTER.toString(), "--name=mine", "--model=" + MODEL))
        .contains("there is an adapter \"mine\" already");
  }

  @Test
  void anImportThatWasKilledIsBegunAnew() throws IOException {
    Files.writeString(
        Files.createDirectories(data().resolve("adapters/mine")).resolve("rest"), "of before");
    assertThat(imported("mine")).as(err.toString()).isZero();
    assertThat(data().resolve("adapters/mine/rest")).doesNotExist();
  }

  @Test
  void whatADatabaseThatWasLostKnewIsTakenFromWhereItLies() throws IOException {
    var there = Files.createDirectories(data().resolve("adapters/mine"));
    for (var file : Peft.FILES) Files.copy(ADAPTER.resolve(file), there.resolve(file));
    assertThat(run("import", there.toString(), "--name=mine", "--model=" + MODEL)).isZero();
    for (var file : Peft.FILES) {
      assertThat(there.resolve(file)).hasSameBinaryContentAs(ADAPTER.resolve(file));
    }
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    assertThat(imported("mine")).isZero();
    var there = Files.writeString(folder.resolve("there"), "precious");
    assertThat(refused("export", "mine", "--to=" + there)).contains("is there already");
    assertThat(refused("export", "mine", "--format=onnx", "--to=" + folder.resolve("new")))
        .contains("peft, merged or gguf, not onnx");
    assertThat(refused("export", "yours", "--to=" + folder.resolve("new")))
        .contains("there is no adapter \"yours\"")
        .contains("[mine]");
    assertThat(there).hasContent("precious");
  }

  @Test
  void whatAnswersOrWasTrainedHereIsNotLost() throws IOException {
    var run = Files.createDirectories(data().resolve("runs/own/best"));
    try (var store = Store.open(data(), Durability.PROCESS)) {
      store.put(new Adapter("own", run.toString(), MODEL.toString(), Instant.now(), null, null));
      store.put(new Route("gpt", new Target.Upstream("main", null), new Target.Adapter("own")));
    }
    assertThat(refused("delete", "own")).contains("own answers for [gpt]");
    try (var store = Store.openExisting(data())) {
      store.deleteRoute("gpt");
    }
    assertThat(run("delete", "own")).isZero();
    assertThat(Json.parse(out.toString()).path("kept").asString()).isEqualTo(run.toString());
    assertThat(run).exists();
  }
}

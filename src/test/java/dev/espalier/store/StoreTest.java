package dev.espalier.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Trajectory.End;
import dev.espalier.store.Route.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.node.ObjectNode;

@Execution(ExecutionMode.CONCURRENT)
class StoreTest {
  private static final int LARGE = 100_000;

  private static final Instant NOON = Instant.parse("2026-01-15T12:00:00Z");

  @TempDir private Path dir;

  @Test
  void readsBackWhatWasCaptured() {
    var request = Captured.request("a", "gpt", NOON, Map.of("task", "booking"));
    var raw = "data: {}\n\n".repeat(100).getBytes(UTF_8);
    try (var store = Store.open(dir, Durability.PROCESS)) {
      store.capture(request, raw).join();
    }
    try (var store = Store.openExisting(dir)) {
      var read = store.captured(CaptureFilter.all()).toList();
      assertThat(read).usingRecursiveComparison().isEqualTo(List.of(request));
      assertThat(store.rawStream("a")).isEqualTo(raw);
      assertThat(store.rawStream("b")).isEmpty();
    }
  }

  @Test
  void nobodyElseReadsWhatWasCaptured() throws IOException {
    var data = dir.resolve("data");
    try (var store = Store.open(data, Durability.PROCESS)) {
      store.capture(Captured.request("a", "gpt", NOON, Map.of()), null).join();
      assertThat(permissions(data)).isEqualTo("rwx------");
      try (var files = Files.list(data)) {
        var all = files.toList();
        assertThat(all)
            .extracting(file -> file.getFileName().toString())
            .contains("espalier.db-wal");
        assertThat(all).allSatisfy(file -> assertThat(permissions(file)).isEqualTo("rw-------"));
      }
    }
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @Test
  void knowsTheNewestVersionOfItsTables() throws Exception {
    try (var files = Files.list(Path.of("src/main/resources/db"))) {
      var newest = files.map(file -> file.getFileName().toString()).sorted().toList().getLast();
      assertThat(newest).startsWith("V" + Database.NEWEST + "__");
    }
  }

  /// A store of an earlier version gets its new tables, and one that is new enough stays as it is.
  @Test
  void migratesWhatIsOld() throws Exception {
    var file = dir.resolve("espalier.db");
    Flyway.configure()
        .dataSource("jdbc:sqlite:" + file, null, null)
        .locations("classpath:db")
        .target("1")
        .load()
        .migrate();
    for (int i = 0; i < 2; i++) {
      try (var store = Store.openExisting(dir)) {
        assertThat(store.verdicts("none")).isEmpty(); // a table of the second version
      }
    }
  }

  @Test
  void goesOnWritingAfterWorkThatBreaks() {
    var file = dir.resolve("espalier.db");
    Database.create(file);
    var writer = new Writer(file, Durability.PROCESS, null);
    assertThatThrownBy(() ->
            writer.run(connection -> {
              throw new NoSuchMethodError("of another version");
            }))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("of another version");
    writer.run(connection -> PriceTable.put(connection, new Price("m", 1, 1, 1)));
    writer.close(Duration.ofSeconds(10));
  }

  @Test
  void tellsWhatAProviderAnsweredFromWhatAnAdapterDid() {
    try (var store = Store.open(dir, Durability.POWER)) {
      store.capture(Captured.request("a", "gpt", NOON, Map.of()), null).join();
      var own = Captured.request("b", "gpt", NOON, Map.of(), "adapter:mine");
      store.capture(own, null).join();
      assertThat(ids(store, CaptureFilter.all())).containsExactly("a", "b");
      assertThat(ids(store, CaptureFilter.all().upstream())).containsExactly("a");
    }
  }

  @Test
  void selectsByEveryCondition() {
    try (var store = Store.open(dir, Durability.POWER)) {
      store.capture(Captured.request("a", "gpt", NOON, Map.of("t", "1")), null).join();
      store.capture(Captured.request("b", "gpt", NOON.plusSeconds(1), Map.of()), null).join();
      store.capture(Captured.request("c", "other", NOON.plusSeconds(2), Map.of()), null).join();
      store.add(new Feedback("b", NOON, 0.7, null, null));
      store.add(new Feedback("c", NOON, null, "good", "well done"));

      var all = CaptureFilter.all();
      assertThat(ids(store, all.model("gpt"))).containsExactly("a", "b");
      assertThat(ids(store, all.since(NOON.plusSeconds(1)))).containsExactly("b", "c");
      assertThat(ids(store, all.until(NOON.plusSeconds(1)))).containsExactly("a");
      assertThat(ids(store, all.status(500))).isEmpty();
      assertThat(ids(store, all.outcome(Outcome.TRUNCATED))).isEmpty();
      assertThat(ids(store, all.promptVersion("p1").conversation("c1"))).hasSize(3);
      assertThat(ids(store, all.promptVersion("p2"))).isEmpty();
      assertThat(ids(store, all.tag("t", "1"))).containsExactly("a");
      assertThat(ids(store, all.tag("t", "2"))).isEmpty();
      assertThat(ids(store, all.minScore(0.5))).containsExactly("b");
      assertThat(ids(store, all.minScore(0.8))).isEmpty();
      assertThat(ids(store, all.label("good"))).containsExactly("c");
      assertThat(ids(store, all.model("gpt").limit(1))).containsExactly("b");
      assertThat(store.count(all.model("gpt"))).isEqualTo(2);
      var labelled = store.captured(all.label("good")).toList().getFirst();
      assertThat(labelled.feedback().getFirst().comment()).isEqualTo("well done");
    }
  }

  @Test
  void pagesThroughManyInOrder() {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      var ids = IntStream.range(0, 1000).mapToObj("r%04d"::formatted).toList();
      var commits =
          ids.stream()
              .map(id -> store.capture(Captured.request(id, "m", NOON, Map.of()), null).committed())
              .toArray(CompletableFuture[]::new);
      CompletableFuture.allOf(commits).join();
      assertThat(ids(store, CaptureFilter.all())).isEqualTo(ids);
      assertThat(ids(store, CaptureFilter.all().limit(130))).isEqualTo(ids.subList(870, 1000));
      assertThat(ids(store, CaptureFilter.all().limit(1001))).isEqualTo(ids);
      assertThat(ids(store, CaptureFilter.all().limit(0))).isEmpty();
    }
  }

  @Test
  void keepsFeedbackOfARequestThatIsStoredAgain() {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      var request = Captured.request("a", "m", NOON, Map.of());
      store.capture(request, null).join();
      store.add(new Feedback("a", NOON, 1.0, null, null));
      store.capture(request, "more".getBytes(UTF_8)).join();
      assertThat(store.captured(CaptureFilter.all().minScore(1)).count()).isEqualTo(1);
      assertThat(store.rawStream("a")).asString(UTF_8).isEqualTo("more");
    }
  }

  @Test
  void refusesFeedbackOnAnUnknownRequest() {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      assertThat(store.add(new Feedback("nobody", NOON, 1.0, null, null))).isFalse();
    }
  }

  @Test
  void keepsRoutesPricesKeysAdaptersAndRuns() {
    var route =
        new Route("gpt", new Target.Adapter("mine"), new Target.Upstream("main", "gpt-4o-mini"));
    var price = new Price("gpt", 2.5, 10, 1.25);
    var key = new ApiKey("k1", "laptop", "00ff", NOON);
    var adapter = new Adapter("mine", "adapters/mine", "base", NOON, "{\"drop\":1}", null);
    var run = new Run("r1", "distil", "running", NOON, null, "{}", null);
    try (var store = Store.open(dir, Durability.PROCESS)) {
      store.put(route);
      store.put(price);
      store.put(key);
      store.put(adapter);
      store.put(run);
    }
    try (var store = Store.openExisting(dir)) {
      assertThat(store.routes()).containsExactly(route);
      assertThat(store.prices()).containsExactly(Map.entry("gpt", price));
      assertThat(store.keys()).containsExactly(key);
      assertThat(store.adapter("mine")).contains(adapter);
      assertThat(store.runs()).containsExactly(run);
      assertThat(store.deleteRoute("gpt")).isTrue();
      assertThat(store.deleteRoute("gpt")).isFalse();
      assertThat(store.deleteKey("k1")).isTrue();
      assertThat(store.deleteAdapter("mine")).isTrue();
      assertThat(store.routes()).isEmpty();
    }
  }

  @Test
  void deletesByAgeAndBySize() {
    try (var store = Store.open(dir, Durability.PROCESS)) {
      for (int i = 0; i < 1200; i++) {
        var _ =
            store.capture(
                Captured.request("r%04d".formatted(i), "m", NOON.plusSeconds(i), Map.of()),
                new byte[100_000]);
      }
      assertThat(store.deleteBefore(NOON.plusSeconds(600))).isEqualTo(600);
      assertThat(ids(store, CaptureFilter.all()).getFirst()).isEqualTo("r0600");
      assertThat(store.shrinkTo(0)).isEqualTo(600);
      assertThat(store.count(CaptureFilter.all())).isZero();
    }
  }

  @Test
  void aSizeIsKeptToAndTheDiskGetsItsRoomBack() throws IOException {
    captureLarge(60);
    try (var store = Store.openExisting(dir)) {
      assertThat(store.shrinkTo(4_000_000)).isBetween(20L, 40L);
      assertThat(ids(store, CaptureFilter.all()).getLast()).isEqualTo("r0059");
    }
    try (var files = Files.list(dir)) {
      long bytes = files.mapToLong(file -> file.toFile().length()).sum();
      assertThat(bytes).isLessThan(4_500_000);
    }
  }

  @Test
  void givesBackWhatWasDeletedToTheDisk() throws Exception {
    var file = dir.resolve("espalier.db");
    captureLarge(100);
    long before = Files.size(file);
    try (var store = Store.openExisting(dir)) {
      assertThat(store.deleteBefore(NOON.plusSeconds(90))).isEqualTo(90);
    }
    assertThat(before).isGreaterThan(100 * LARGE);
    assertThat(Files.size(file)).isLessThan(before / 5);
  }

  @Test
  void deletesNoMoreThanIsTooMuch() throws Exception {
    captureLarge(100);
    long limit = Files.size(dir.resolve("espalier.db")) - 10 * LARGE;
    try (var store = Store.openExisting(dir)) {
      assertThat(store.shrinkTo(limit)).isBetween(9L, 11L);
      assertThat(store.shrinkTo(limit)).isZero();
      assertThat(ids(store, CaptureFilter.all()).getLast()).isEqualTo("r0099");
    }
  }

  /// What runs keep is no reason to delete what was captured, and it stays.
  @Test
  void aRunsAttemptsPushNothingOut() {
    captureLarge(20);
    var said = new StringBuilder();
    var random = new Random(2);
    for (int i = 0; i < 20 * LARGE; i++) said.append((char) (33 + random.nextInt(90)));
    var attempt =
        new Trajectory(
            new Task("e", "t", Json.object().put("said", said.toString())),
            0,
            Json.array(),
            null,
            List.of(),
            End.DONE,
            "",
            Map.of());
    try (var store = Store.openExisting(dir)) {
      store.put("rl/it", 1, List.of(attempt));
      assertThat(store.shrinkTo(22L * LARGE)).isZero();
      assertThat(store.shrinkTo(12L * LARGE)).isBetween(6L, 11L);
      assertThat(store.trajectories("rl/it", 1)).hasSize(1);
    }
  }

  @Test
  void aCallThatCouldNotBeReadIsKeptAndAnOlderRowSaysNothingOfIt() {
    var text = new Message.Assistant("<tool_call>{", List.of());
    var turn = new Completion(text, FinishReason.STOP, new Usage(1, 1), null, true);
    var task = new Task("e", "t", Json.object());
    var attempt =
        new Trajectory(task, 0, Json.array(), null, List.of(turn), End.DONE, "", Map.of());
    try (var store = Store.open(dir, Durability.PROCESS)) {
      store.put("rl/it", 1, List.of(attempt));
      assertThat(store.trajectories("rl/it", 1)).containsExactly(attempt);
    }
    var older = Json.MAPPER.<ObjectNode>valueToTree(attempt);
    ((ObjectNode) older.path("turns").get(0)).remove("unparseable");
    var read = TrajectoryTable.read(Packed.pack(Json.MAPPER.writeValueAsBytes(older)));
    assertThat(read.turns().getFirst().message()).isEqualTo(text);
    assertThat(read.turns().getFirst().unparseable()).isFalse();
  }

  private void captureLarge(int count) {
    var random = new Random(1);
    try (var store = Store.open(dir, Durability.PROCESS)) {
      for (int i = 0; i < count; i++) {
        var raw = new byte[LARGE]; // what is random does not deflate
        random.nextBytes(raw);
        var id = "r%04d".formatted(i);
        store.capture(Captured.request(id, "m", NOON.plusSeconds(i), Map.of()), raw).join();
      }
    }
  }

  @Test
  void saysWhatToDoWhereThereIsNoStore() {
    assertThatThrownBy(() -> Store.openExisting(dir.resolve("nowhere")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("--data");
  }

  @Test
  void pricesCachedTokensApart() {
    var cost = new Price("m", 2, 10, 1).of(new TokenUsage(1000, 100, 400, false));
    assertThat(cost).isEqualTo((600 * 2 + 400 * 1 + 100 * 10) / 1e6);
  }

  private static List<String> ids(Store store, CaptureFilter filter) {
    return store.captured(filter).map(CapturedRequest::id).toList();
  }
}

package dev.espalier.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.ChatFormat;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.FinishReason;
import dev.espalier.chat.Json;
import dev.espalier.chat.Message;
import dev.espalier.chat.Usage;
import dev.espalier.engine.BaseModel;
import dev.espalier.env.AgentRollouts;
import dev.espalier.env.Conversation;
import dev.espalier.env.Env;
import dev.espalier.env.Environments;
import dev.espalier.env.Episode;
import dev.espalier.env.Episodes;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Rollouts;
import dev.espalier.env.Step;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import dev.espalier.env.Trajectory;
import dev.espalier.env.Warned;
import dev.espalier.judge.Judge;
import dev.espalier.judge.JudgeException;
import dev.espalier.model.Decoder;
import dev.espalier.model.ModelShape;
import dev.espalier.model.RopeScaling;
import dev.espalier.model.Weights;
import dev.espalier.pretrain.Bpe;
import dev.espalier.pretrain.BuiltinChat;
import dev.espalier.rl.Evaluator.Success;
import dev.espalier.store.Durability;
import dev.espalier.store.Store;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.train.Checkpoint;
import dev.espalier.train.TrainingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/// The loop on a random model of two small layers, which is to learn to say lower-case letters.
final class GrpoTest {
  private static final Tasks TASKS =
      number -> new Task("letters", "say-" + number, Json.object().put("n", number % 3));
  private static final Environments LETTERS = letters(Letters::new);

  @TempDir private Path folder = Path.of("");
  private @Nullable BaseModel base;
  private @Nullable Store store;

  /// The reward is the tenths of what was said that are lower-case letters, so that it outweighs
  /// what some algorithms take for length.
  private record Letters(Task task) implements Env {
    @Override
    public Conversation start() {
      var text = "say " + task.data().path("n").asInt();
      return new Conversation(
          Json.array().add(Json.object().put("role", "user").put("content", text)), null);
    }

    @Override
    public Step step(Completion action) {
      var text = action.message().text();
      long good = text.chars().filter(c -> c >= 'a' && c <= 'z').count();
      return new Step.Done(text.isEmpty() ? 0 : 10.0 * good / text.length(), "");
    }
  }

  /// @param made of each task, for each attempt
  private static Environments letters(Function<Task, Env> made) {
    return Environments.of(Map.of("letters", (task, seed) -> made.apply(task)));
  }

  @BeforeEach
  void load() {
    store = Store.open(folder, Durability.PROCESS);
    Bpe.train(Stream.of("no text"), 264, BuiltinChat.SPECIALS)
        .write(folder, BuiltinChat.tokenizerConfig(256));
    base =
        Device.cpu()
            .run(
                Urgency.TRAIN,
                () -> {
                  var shape =
                      new ModelShape(
                          "qwen3",
                          2,
                          64,
                          4,
                          2,
                          16,
                          128,
                          264,
                          true,
                          false,
                          true,
                          1e-6,
                          1e4,
                          new RopeScaling.None(),
                          256);
                  return new BaseModel(
                      folder,
                      ChatFormat.load(folder),
                      new Decoder(shape),
                      Weights.random(shape, 0.15, torch.make_generator_cpu(7)),
                      Dtype.F32);
                });
  }

  @AfterEach
  void close() {
    base().close();
    store().close();
  }

  private Store store() {
    return Objects.requireNonNull(store);
  }

  private BaseModel base() {
    return Objects.requireNonNull(base);
  }

  private static RlConfig config(String algorithm, int steps) {
    return config(algorithm, steps, 0);
  }

  private static RlConfig config(String algorithm, int steps, int staleness) {
    var preset = Algorithm.preset(algorithm);
    return new RlConfig(preset, steps, 3, 2e-2, 8, 32, 1e-2, 1, 5, staleness);
  }

  private Practice practice(Rewards rewards) {
    return practice("letters", rewards);
  }

  private Practice practice(Environments environments, int groupSize) {
    return practice("letters", Rewards.ENVIRONMENT, environments, groupSize);
  }

  private Practice practice(String identity, Rewards rewards) {
    return practice(identity, rewards, LETTERS, 8);
  }

  private Practice practice(
      String identity, Rewards rewards, Environments environments, int groupSize) {
    var attempts = new RolloutConfig(groupSize, 1, 6, 1, Duration.ofSeconds(5), 0);
    var rollouts = new Rollouts(environments, attempts);
    return new Practice(
        identity,
        rollouts,
        TASKS,
        rewards,
        GrpoTest::evaluate,
        request -> request,
        new Journal(store(), "letters"));
  }

  /// The mean reward of one attempt at each of 16 tasks.
  private static Success evaluate(ChatModel policy) {
    var one = new Rollouts(LETTERS, new RolloutConfig(1, 1, 6, 1, Duration.ofSeconds(5), 0));
    var tasks = Stream.iterate(0L, n -> n + 1).limit(16).map(TASKS::at).toList();
    double rate =
        one.run(tasks, policy, 99).stream()
            .mapToDouble(group -> group.trajectories().getFirst().reward(Trajectory.ENV) / 10)
            .average()
            .orElseThrow();
    return new Success(rate, rate, rate, 16);
  }

  private Grpo.Result run(String algorithm, int steps, Path run, Consumer<ObjectNode> progress) {
    return Grpo.run(
        base(), null, config(algorithm, steps), practice(Rewards.ENVIRONMENT), run, progress);
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpo", "dr-grpo", "dapo", "gspo", "cispo", "rloo", "reinforce++", "ppo"})
  void everyPresetLearns(String algorithm) {
    var lines = new ArrayList<ObjectNode>();
    var result = run(algorithm, 15, folder.resolve("run"), lines::add);
    assertThat(result.best().rate()).isGreaterThan(result.start().rate() + 0.3);
    var steps = lines.stream().filter(it -> it.path("event").asString().equals("step")).toList();
    assertThat(steps).hasSize(result.steps());
    assertThat(steps)
        .allSatisfy(it -> {
          assertThat(it.path("sampler_kl").asDouble()).isLessThan(1e-5);
          assertThat(it.path("tokens").asLong()).isPositive();
          assertThat(it.path("parameters").asLong()).isPositive();
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpo", "ppo"})
  void attemptsOfAPolicyThatIsBehindTeachToo(String algorithm) {
    var lines = new ArrayList<ObjectNode>();
    var config = config(algorithm, 20, 2);
    var practice = practice(Rewards.ENVIRONMENT);
    var result = Grpo.run(base(), null, config, practice, folder.resolve("run"), lines::add);
    assertThat(result.best().rate()).isGreaterThan(result.start().rate() + 0.3);
    var steps = lines.stream().filter(it -> it.path("event").asString().equals("step")).toList();
    assertThat(steps.stream().map(it -> it.path("staleness").asInt()).limit(5))
        .containsExactly(0, 1, 2, 2, 2);
    assertThat(steps.get(0).path("sampler_kl").asDouble()).isLessThan(1e-5);
    assertThat(steps.get(4).path("sampler_kl").asDouble()).isGreaterThan(1e-4);
  }

  @Test
  void agentsThatDriveThemselvesAreLearntFromLikeEnvironments() {
    var episodes = new Episodes();
    var patience = Duration.ofSeconds(60);
    var agents = new AgentRollouts(episodes, new RolloutConfig(8, 1, 6, 1, patience, 0), patience);
    var practice =
        new Practice(
            "agents",
            agents,
            TASKS,
            Rewards.ENVIRONMENT,
            GrpoTest::evaluate,
            request -> request,
            new Journal(store(), "agents"));
    var lines = new ArrayList<ObjectNode>();
    var threads = Executors.newVirtualThreadPerTaskExecutor();
    try {
      for (int i = 0; i < 4; i++) threads.execute(() -> sayLetters(episodes));
      var run = folder.resolve("run");
      var result = Grpo.run(base(), null, config("grpo", 15), practice, run, lines::add);
      assertThat(result.best().rate()).isGreaterThan(result.start().rate() + 0.3);
    } finally {
      threads.shutdownNow();
    }
    assertThat(lines)
        .allSatisfy(it -> assertThat(it.path("sampler_kl").asDouble()).isLessThan(1e-5));
  }

  private static void sayLetters(Episodes episodes) {
    try {
      while (true) {
        var episode = episodes.next(Duration.ofSeconds(60));
        if (episode == null) continue;
        var env = new Letters(episode.task());
        var request = ChatRequest.of(Episode.POLICY, env.start().messages(), null);
        var step = env.step(episode.policy().complete(request));
        if (step instanceof Step.Done(var reward, var why)) episode.reward(reward, why);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpo", "ppo"})
  void aRunCutOffEndsWithTheSameBits(String algorithm) throws IOException {
    var whole = run(algorithm, 6, folder.resolve("whole"), line -> {});
    var cut = folder.resolve("cut");
    for (int at : new int[] {2, 5}) cutOff(algorithm, at, cut);
    var resumed = run(algorithm, 6, cut, line -> {});
    assertThat(resumed.bestStep()).isEqualTo(whole.bestStep());
    for (var file : List.of("best/adapter_model.safetensors", "step-6/state.safetensors")) {
      assertThat(Files.readAllBytes(cut.resolve(file)))
          .isEqualTo(Files.readAllBytes(folder.resolve("whole").resolve(file)));
    }
    var steps =
        Files.readAllLines(cut.resolve("metrics.jsonl")).stream()
            .map(Json::parse)
            .filter(line -> line.path("event").asString().equals("step"))
            .map(line -> line.path("step").asInt())
            .toList();
    assertThat(steps).containsExactly(1, 2, 3, 4, 5, 6);
  }

  private void cutOff(String algorithm, int at, Path run) {
    assertThatThrownBy(() ->
            run(
                algorithm,
                6,
                run,
                line -> {
                  boolean step = line.path("event").asString().equals("step");
                  if (step && line.path("step").asInt() == at) {
                    throw new IllegalStateException("cut off");
                  }
                }))
        .hasMessage("cut off");
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 1"})
  void aRunThatGoesOnWithOtherMemorySaysSo(int less, int warnings) throws IOException {
    var run = folder.resolve("run");
    cutOff("grpo", 2, run);
    var file = Objects.requireNonNull(Checkpoint.latest(run)).folder().resolve("progress.json");
    var progress = (ObjectNode) Json.parse(Files.readString(file));
    int longest = progress.path("longest").asInt();
    assertThat(longest).isPositive();
    Files.writeString(file, progress.put("longest", longest - less).toString());
    try (var warned = new Warned(RunState.class)) {
      run("grpo", 6, run, line -> {});
      assertThat(warned.lines())
          .hasSize(warnings)
          .allSatisfy(it -> assertThat(it).contains("not to the same bits"));
    }
  }

  @Test
  void theSecondsOfEarlierProcessesCount() throws IOException {
    var run = folder.resolve("run");
    assertThat(run("grpo", 1, run, line -> {}).seconds()).isPositive().isLessThan(1000);
    var file = Objects.requireNonNull(Checkpoint.latest(run)).folder().resolve("progress.json");
    var progress = (ObjectNode) Json.parse(Files.readString(file));
    Files.writeString(file, progress.put("seconds", 1000).toString());
    assertThat(run("grpo", 1, run, line -> {}).seconds()).isBetween(1000.0, 2000.0);
  }

  @Test
  void everyAttemptAndStepIsInTheStore() {
    var lines = new ArrayList<ObjectNode>();
    run("grpo", 2, folder.resolve("run"), lines::add);
    var steps = lines.stream().filter(it -> it.path("event").asString().equals("step")).toList();
    assertThat(store().steps("letters")).isEqualTo(steps.stream().map(Json::write).toList());
    assertThat(store().stepsWithTrajectories("letters")).containsExactly(1, 2);
    for (var step : steps) {
      var attempts = store().trajectories("letters", step.path("step").asInt());
      assertThat(attempts).hasSize(8 * step.path("groups_tried").asInt());
      assertThat(attempts)
          .allSatisfy(it -> {
            var trace = Objects.requireNonNull(it.turns().getFirst().trace());
            assertThat(trace.ids()).isNotEmpty().hasSameSizeAs(trace.logprobs());
            assertThat(trace.promptIds()).isNotEmpty();
          });
    }
  }

  @Test
  void aRunOfOtherSettingsIsRefused() {
    run("grpo", 1, folder.resolve("run"), line -> {});
    assertThatThrownBy(() -> run("grpo", 2, folder.resolve("run"), line -> {}))
        .hasMessageContaining("other settings");
  }

  @Test
  void aRunOfAnotherPracticeIsRefused() {
    var run = folder.resolve("run");
    run("grpo", 1, run, line -> {});
    var other = practice("letters, with slower tools", Rewards.ENVIRONMENT);
    assertThatThrownBy(() -> Grpo.run(base(), null, config("grpo", 1), other, run, line -> {}))
        .hasMessageContaining("other settings");
  }

  @Test
  void aRunWithNothingLeftToLearnKeepsWhatItLearnt() {
    var attempts = new AtomicInteger();
    var easyInTheEnd =
        letters(task -> {
          var letters = new Letters(task);
          return attempts.getAndIncrement() < 8 * 24 ? letters : new Fixed(letters, 1);
        });
    var config = new RlConfig(Algorithm.preset("grpo"), 50, 3, 2e-2, 8, 32, 1e-2, 0, 5, 0);
    var result =
        Grpo.run(
            base(), null, config, practice(easyInTheEnd, 8), folder.resolve("run"), line -> {});
    assertThat(result.stopped()).contains("earned the same");
    assertThat(result.bestStep()).isEqualTo(result.steps()).isPositive();
    assertThat(result.best().rate()).isGreaterThan(result.start().rate());
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpo", "reinforce++", "ppo"})
  void aRunThatLearnsNothingIsAnError(String algorithm) {
    var same = letters(task -> new Fixed(new Letters(task), 1));
    assertThatThrownBy(() ->
            Grpo.run(
                base(),
                null,
                config(algorithm, 2),
                practice(same, 8),
                folder.resolve("run"),
                line -> {}))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("nothing was learnt");
  }

  @ParameterizedTest
  @ValueSource(strings = {"reinforce++", "ppo"})
  void whatComparesNoGroupNeedsOneAttemptATask(String algorithm) {
    var result =
        Grpo.run(
            base(),
            null,
            config(algorithm, 2),
            practice(LETTERS, 1),
            folder.resolve("run"),
            line -> {});
    assertThat(result.steps()).isEqualTo(2);
  }

  /// Earns that, whatever is said.
  private record Fixed(Letters letters, double reward) implements Env {
    @Override
    public Conversation start() {
      return letters.start();
    }

    @Override
    public Step step(Completion action) {
      return new Step.Done(reward, "");
    }
  }

  /// One task of three is always solved, half of the attempts at the others. `grpo` holds the
  /// policy near its start at the former, too.
  @ParameterizedTest
  @CsvSource({"grpo, 1, 3", "dr-grpo, 0.6666666666666666, 2", "dapo, 1, 3", "reinforce++, 1, 3"})
  void whatTeachesNothingCountsInTheMean(String algorithm, double share, int groups) {
    var tried = new ConcurrentHashMap<String, AtomicInteger>();
    var mixed =
        letters(task -> {
          var letters = new Letters(task);
          if (task.data().path("n").asInt() == 0) return new Fixed(letters, 1);
          var count = tried.computeIfAbsent(task.id(), id -> new AtomicInteger());
          return new Fixed(letters, count.getAndIncrement() % 2);
        });
    ChatModel policy =
        request ->
            new Completion(
                new Message.Assistant("a", List.of()), FinishReason.STOP, new Usage(1, 1), null);
    var gathering = new Gathering(practice(mixed, 8), config(algorithm, 1));
    var gathered = gathering.next(policy, 0, 0);
    assertThat(gathered.share()).isEqualTo(share);
    assertThat(gathered.groups()).hasSize(groups);
  }

  /// In the last fifth of the room for six tokens, from 4.8 on, length costs up to a reward of 1.
  @ParameterizedTest
  @CsvSource({"4, 1", "5, 0.8333333333333334", "6, 0"})
  void aLongTurnCosts(int tokens, double reward) {
    ChatModel policy =
        request ->
            new Completion(
                new Message.Assistant("a", List.of()),
                FinishReason.STOP,
                new Usage(1, tokens),
                null);
    var right = letters(task -> new Fixed(new Letters(task), 1));
    var gathering = new Gathering(practice(right, 2), config("dapo", 1));
    assertThat(gathering.next(policy, 0, 0).mean()).isCloseTo(reward, within(1e-9));
  }

  @Test
  void aStepWithoutAnyScoreIsAnError() {
    Judge silent =
        group -> {
          throw new JudgeException("no word");
        };
    var none = new Rewards(Map.of(Rewards.JUDGE, 1.0), silent, (group, verdict) -> {});
    assertThatThrownBy(() ->
            Grpo.run(
                base(), null, config("grpo", 2), practice(none), folder.resolve("run"), line -> {}))
        .hasMessageContaining("could not be scored");
  }
}

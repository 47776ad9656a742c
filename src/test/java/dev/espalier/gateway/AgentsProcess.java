package dev.espalier.gateway;

import dev.espalier.chat.ChatModel;
import dev.espalier.chat.Json;
import dev.espalier.engine.BaseModel;
import dev.espalier.engine.Engine;
import dev.espalier.engine.LocalModel;
import dev.espalier.env.AddingPolicy;
import dev.espalier.env.AgentRollouts;
import dev.espalier.env.Episodes;
import dev.espalier.env.RolloutConfig;
import dev.espalier.env.Task;
import dev.espalier.env.Trajectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.IntStream;

/// The process that `bench/agents/run` plays agents against: four attempts at each of four sums, by
/// a script or by a model's folder. Fails unless every attempt became a trajectory.
final class AgentsProcess {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private AgentsProcess() {}

  public static void main(String[] args) {
    if (args.length == 0) {
      play(new AddingPolicy());
      return;
    }
    try (var base = BaseModel.load(Path.of(args[0]));
        var engine = new Engine(base, 16)) {
      play(LocalModel.base(engine));
    }
  }

  private static void play(ChatModel policy) {
    var episodes = new Episodes();
    var tasks =
        IntStream.range(1, 5)
            .mapToObj(n -> new Task("sum", "sum-" + n, Json.object().put("a", 17 * n).put("b", n)))
            .toList();
    var config = new RolloutConfig(4, 8, 64, 1, PATIENCE, 0);
    int counting = 0;
    try (var server =
        EpisodeServer.start(EpisodeServerConfig.local(0), episodes, id -> new byte[0])) {
      System.out.println(Json.object().put("base_url", server.base().toString()));
      for (var group : new AgentRollouts(episodes, config, PATIENCE).run(tasks, policy, 1)) {
        counting += group.counting().size();
        group.trajectories().forEach(AgentsProcess::show);
      }
    }
    System.out.printf("%d passed, %d failed%n", counting, 16 - counting);
    if (counting < 16) throw new IllegalStateException("not every attempt became a trajectory");
  }

  private static void show(Trajectory one) {
    var json = Json.object().put("task", one.task().id()).put("member", one.member());
    json.put("end", one.end().toString()).put("reward", one.reward(Trajectory.ENV));
    var turns = json.putArray("sampled_ids_of_turns");
    boolean goesOn = true;
    var before = new int[0];
    for (var turn : one.turns()) {
      var trace = turn.trace();
      if (trace == null) throw new IllegalStateException("a turn without its tokens");
      turns.add(trace.ids().length);
      var prompt = trace.promptIds();
      goesOn &= Arrays.mismatch(before, prompt) == before.length || before.length == 0;
      before = IntStream.concat(Arrays.stream(prompt), Arrays.stream(trace.ids())).toArray();
    }
    System.out.println(json.put("one_sequence", goesOn).put("why", one.why()));
  }
}

package dev.espalier.rl;

import dev.espalier.env.TrajectoryGroup;
import dev.espalier.judge.Verdict;
import dev.espalier.store.Store;
import dev.espalier.store.StoredVerdict;
import dev.espalier.store.StoredVerdict.Score;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ObjectNode;

/// What a run leaves in the store: what each step gave, every attempt with its token ids, and every
/// verdict, so that attempts can be judged again without being made again.
///
/// @param run its id in the store
public record Journal(Store store, String run) {
  void step(int step, ObjectNode metrics) {
    store.putStep(run, step, metrics.toString());
  }

  void attempted(int step, List<TrajectoryGroup> groups) {
    store.put(run, step, groups.stream().flatMap(group -> group.trajectories().stream()).toList());
  }

  /// Keeps a verdict.
  public void judged(TrajectoryGroup group, Verdict verdict) {
    var scores =
        IntStream.range(0, group.trajectories().size())
            .mapToObj(i ->
                new Score(
                    group.trajectories().get(i).member(),
                    verdict.scores().get(i),
                    verdict.explanations().get(i)))
            .toList();
    store.put(new StoredVerdict(run, group.task().id(), verdict.rubric(), scores, verdict.calls()));
  }
}

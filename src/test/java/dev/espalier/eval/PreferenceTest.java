package dev.espalier.eval;

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
import dev.espalier.judge.Judge;
import dev.espalier.judge.JudgeException;
import dev.espalier.judge.Verdict;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PreferenceTest {
  /// Prefers the longer answer, and has nothing to say about silence.
  private static final Judge LONGER =
      group -> {
        var said = group.trajectories().stream().map(PreferenceTest::said).toList();
        if (said.stream().allMatch(String::isEmpty)) throw new JudgeException("no word");
        var scores = said.stream().map(text -> text.length() / 10.0).toList();
        return new Verdict("r@1", scores, said, 0, 1);
      };

  private static String said(Trajectory trajectory) {
    return trajectory.turns().getFirst().message().text();
  }

  private static List<Trajectory> saying(String... answers) {
    return IntStream.range(0, answers.length)
        .mapToObj(i -> {
          var turn =
              new Completion(
                  new Message.Assistant(answers[i], List.of()),
                  FinishReason.STOP,
                  new Usage(1, 1),
                  null);
          var end = answers[i].equals("hung") ? End.TIMEOUT : End.DONE;
          var task = new Task("t", "task-" + i, Json.object());
          return new Trajectory(task, 0, Json.array(), null, List.of(turn), end, "", Map.of());
        })
        .toList();
  }

  @Test
  void winsAndDrawsAreCountedByTask() {
    var ours = saying("aaa", "b", "cc", "hung", "");
    var theirs = saying("a", "bbb", "cc", "d", "");
    var preference = Preference.of(LONGER, ours, theirs, 1);
    assertThat(preference.rate()).isEqualTo(0.5);
    assertThat(preference.compared()).isEqualTo(3);
    assertThat(preference.left()).isEqualTo(2);
    var better = Preference.of(LONGER, saying("aa", "bb"), saying("a", "b"), 1);
    assertThat(better.rate()).isEqualTo(1);
    assertThat(better.interval().low()).isEqualTo(1);
  }

  /// One after another, the first would wait for the last in vain.
  @Test
  @Timeout(30)
  void pairsAreJudgedSideBySide() {
    var together = new CountDownLatch(Judge.AT_ONCE);
    Judge slow =
        group -> {
          together.countDown();
          try {
            together.await();
          } catch (InterruptedException e) {
            throw new JudgeException("woken");
          }
          return LONGER.judge(group);
        };
    var ours = Collections.nCopies(Judge.AT_ONCE, "aa").toArray(String[]::new);
    var theirs = Collections.nCopies(Judge.AT_ONCE, "a").toArray(String[]::new);
    assertThat(Preference.of(slow, saying(ours), saying(theirs), 1).compared())
        .isEqualTo(Judge.AT_ONCE);
  }

  @Test
  void nothingToCompareIsAnError() {
    assertThatThrownBy(() -> Preference.of(LONGER, saying(""), saying(""), 1))
        .isInstanceOf(JudgeException.class)
        .hasMessageContaining("none of 1 pairs");
  }
}

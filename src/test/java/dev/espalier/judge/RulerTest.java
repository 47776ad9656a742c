package dev.espalier.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.env.Warned;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a judge is shown, and what becomes of what it says.
final class RulerTest {
  private static final Pattern SHOWN =
      Pattern.compile("<trajectory id=\"(\\d+)\">\\s*\\{.*?\"content\":\"([^\"]*)\"");

  private final List<List<String>> shown = Collections.synchronizedList(new ArrayList<>());

  /// A judge that scores an answer by its length in tenths, as JSON in the reverse order.
  private Completion byLength(ChatRequest request) {
    var user = request.messages().get(1).path("content").asString();
    var matcher = SHOWN.matcher(user);
    var answers = new ArrayList<String>();
    var scores = Json.array();
    while (matcher.find()) {
      answers.add(matcher.group(2));
      scores.insert(
          0,
          Json.object()
              .put("trajectory_id", matcher.group(1))
              .put("explanation", "it says " + matcher.group(2))
              .put("score", matcher.group(2).length() / 10.0));
    }
    shown.add(answers);
    return Attempts.said(Json.object().set("scores", scores).toString());
  }

  /// A judge that likes whatever it is shown first.
  private static Completion firstIsBest(ChatRequest request) {
    var scores = Json.array();
    var matcher = SHOWN.matcher(request.messages().get(1).path("content").asString());
    for (int i = 1; matcher.find(); i++) {
      scores.add(
          Json.object()
              .put("trajectory_id", String.valueOf(i))
              .put("explanation", "")
              .put("score", i == 1 ? 1.0 : 0.0));
    }
    return Attempts.said(Json.object().set("scores", scores).toString());
  }

  private static Ruler ruler(ChatModel judge, int orders, int retries) {
    return new Ruler(judge, "judge", Rubric.RULER, new RulerConfig(orders, retries, 1));
  }

  @Test
  void scoresAreMatchedByIdWhateverTheirOrder() {
    var verdict = ruler(this::byLength, 1, 0).judge(Attempts.saying("aaa", "b", "ccccc", "dd"));
    assertThat(verdict.scores()).containsExactly(0.3, 0.1, 0.5, 0.2);
    assertThat(verdict.explanations().get(2)).isEqualTo("it says ccccc");
    assertThat(verdict.rubric()).startsWith("ruler@");
    assertThat(verdict.calls()).isEqualTo(1);
  }

  @Test
  void everyOrderIsAnotherAndTheCommonStartIsShownOnce() {
    ruler(this::byLength, 4, 0).judge(Attempts.saying("a", "bb", "ccc", "dddd", "eeeee"));
    assertThat(shown).hasSize(4);
    assertThat(shown.stream().distinct().count()).isGreaterThan(1);
    assertThat(shown).allSatisfy(order -> assertThat(order).hasSize(5));
  }

  @Test
  void aLikingForTheFirstPlaceEvensOutOverOrders() {
    var verdict =
        ruler(RulerTest::firstIsBest, 200, 0).judge(Attempts.saying("a", "bb", "ccc", "dddd"));
    for (double score : verdict.scores()) assertThat(score).isCloseTo(0.25, within(0.12));
  }

  /// Two orders of two attempts are both that there are.
  @Test
  void everySecondOrderIsTheOneBeforeItReversed() {
    for (var group :
        List.of(
            Attempts.saying("a", "bb"),
            Attempts.saying("aa", "b"),
            Attempts.saying("aaa", "bb"),
            Attempts.saying("a", "bbb"),
            Attempts.saying("aaa", "b"),
            Attempts.saying("aa", "bbb"))) {
      assertThat(ruler(RulerTest::firstIsBest, 2, 0).judge(group).scores())
          .containsExactly(0.5, 0.5);
    }
    ruler(this::byLength, 4, 0).judge(Attempts.saying("a", "bb", "ccc", "dddd", "eeeee"));
    assertThat(shown.get(1)).isEqualTo(shown.get(0).reversed());
    assertThat(shown.get(3)).isEqualTo(shown.get(2).reversed());
    assertThat(shown.get(2)).isNotEqualTo(shown.get(0));
  }

  @Test
  void identicalAttemptsAreShownOnceAndScoredAlike() {
    var verdict = ruler(this::byLength, 1, 0).judge(Attempts.saying("aa", "b", "aa", "aa"));
    assertThat(shown.getFirst()).containsExactlyInAnyOrder("aa", "b");
    assertThat(verdict.scores()).containsExactly(0.2, 0.1, 0.2, 0.2);
  }

  @Test
  void aJudgeIsNotAskedAboutAttemptsThatAreAllTheSame() {
    var verdict = ruler(this::byLength, 2, 0).judge(Attempts.saying("aa", "aa", "aa"));
    assertThat(verdict.scores()).containsExactly(0.5, 0.5, 0.5);
    assertThat(verdict.calls()).isZero();
    assertThat(shown).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "the first is best",
        "{\"scores\": []}",
        "{\"scores\": [{\"trajectory_id\": \"1\", \"score\": 0.5}]}",
        "{\"scores\": [{\"trajectory_id\": \"1\", \"score\": 0.5}, {\"trajectory_id\": \"1\","
            + " \"score\": 0.6}]}",
        "{\"scores\": [{\"trajectory_id\": \"1\", \"score\": 0.5}, {\"trajectory_id\": \"3\","
            + " \"score\": 0.6}]}",
        "{\"scores\": [{\"trajectory_id\": \"1\", \"score\": 0.5}, {\"trajectory_id\": \"2\","
            + " \"score\": 7}]}",
        "{\"scores\": [{\"trajectory_id\": \"1\", \"score\": 0.5}, {\"trajectory_id\": \"2\","
            + " \"score\": \"good\"}]}"
      })
  void halfAVerdictIsAskedForAgainAndThenRefused(String answer) {
    var answers = new ArrayList<>(List.of(answer, answer));
    ChatModel recovers =
        request -> answers.isEmpty() ? byLength(request) : Attempts.said(answers.removeFirst());
    assertThat(ruler(recovers, 1, 2).judge(Attempts.saying("a", "bb")).calls()).isEqualTo(3);

    assertThatThrownBy(
            () -> ruler(request -> Attempts.said(answer), 1, 2).judge(Attempts.saying("a", "bb")))
        .isInstanceOf(JudgeException.class)
        .hasMessageContaining("after 3 trials");
  }

  @Test
  void pairsAreShownBothWaysRound() {
    var questions = Collections.synchronizedList(new ArrayList<String>());
    ChatModel longer =
        request -> {
          var user = request.messages().get(1).path("content").asString();
          questions.add(user);
          int a = user.indexOf("</A>") - user.indexOf("<A>");
          int b = user.indexOf("</B>") - user.indexOf("<B>");
          return Attempts.said(a > b ? "A" : a < b ? "b" : "=");
        };
    var verdict =
        new Pairwise(longer, "judge", Rubric.RULER, 0)
            .judge(Attempts.saying("a", "ccc", "bb", "ccc"));
    assertThat(verdict.scores()).containsExactly(0.0, 1.0, 0.5, 1.0);
    assertThat(questions).hasSize(6);
    ChatModel always = request -> Attempts.said("A");
    var drawn =
        new Pairwise(always, "judge", Rubric.RULER, 0).judge(Attempts.saying("a", "bb", "ccc"));
    assertThat(drawn.scores()).containsExactly(0.5, 0.5, 0.5);
  }

  @Test
  void whatEveryTaskIsToldIsInTheJudgesSystemMessage() {
    var asked = Collections.synchronizedList(new ArrayList<ChatRequest>());
    ChatModel judge =
        request -> {
          asked.add(request);
          return Attempts.said("A");
        };
    new Pairwise(judge, "judge", Rubric.RULER, 0).judge(Attempts.told("Be brief.", "a", "bb"));
    assertThat(asked)
        .hasSize(2)
        .allSatisfy(request -> {
          assertThat(request.messages().get(0).path("content").asString()).contains("Be brief.");
          assertThat(request.messages().get(1).path("content").asString())
              .doesNotContain("Be brief.")
              .startsWith("<context>\n{\"role\":\"user\"");
        });
  }

  @Test
  void onlyPairsWithoutAnAnswerAreAskedAboutAgain() {
    var refused = new ArrayList<>(List.of("neither", "", "both"));
    ChatModel judge = request -> Attempts.said(refused.isEmpty() ? "A" : refused.removeFirst());
    var group = Attempts.saying("a", "bb", "ccc");
    assertThat(new Pairwise(inOrder(judge), "judge", Rubric.RULER, 1).judge(group).calls())
        .isEqualTo(9);
    ChatModel mute = request -> Attempts.said("hm");
    assertThatThrownBy(() -> new Pairwise(mute, "judge", Rubric.RULER, 2).judge(group))
        .isInstanceOf(JudgeException.class)
        .hasMessageContaining("6 pairs")
        .hasMessageContaining("after 3 trials");
  }

  /// The same, one request after the other.
  private static ChatModel inOrder(ChatModel model) {
    return new ChatModel() {
      @Override
      public synchronized Completion complete(ChatRequest request) {
        return model.complete(request);
      }
    };
  }

  @Test
  void calibrationSeesAgreementAndBias() {
    var groups =
        Arrays.asList(
            Attempts.saying("aaaa", "bb", "c"),
            Attempts.saying("a", "bbbbb", "cc"),
            Attempts.saying("aa", "b", "cccccc"));
    var good = Calibration.of(ruler(this::byLength, 1, 0), groups, one -> one.reward("env"), 1);
    assertThat(Objects.requireNonNull(good.agreement()).value()).isEqualTo(1);
    assertThat(good.pairs()).isEqualTo(9);
    assertThat(Objects.requireNonNull(good.lengthBias()).value()).isZero();
    var bad = Calibration.of(ruler(this::byLength, 1, 0), groups, one -> -one.reward("env"), 1);
    assertThat(Objects.requireNonNull(bad.agreement()).value()).isZero();
    assertThat(Objects.requireNonNull(bad.lengthBias()).value()).isEqualTo(1);
    var even = Calibration.of(ruler(this::byLength, 1, 0), groups, one -> -one.member() % 2, 1);
    assertThat(Objects.requireNonNull(even.lengthBias()).value()).isEqualTo(0.5);
  }

  /// Three pairs are ordered alike and one is not.
  @Test
  void agreementIsThatOfPairs() {
    var groups = List.of(Attempts.saying("ccc", "bb", "a"), Attempts.saying("a", "bb"));
    var calibration = Calibration.of(ruler(this::byLength, 1, 0), groups, one -> -one.member(), 1);
    assertThat(calibration.pairs()).isEqualTo(4);
    var agreement = Objects.requireNonNull(calibration.agreement());
    assertThat(agreement.value()).isEqualTo(0.75);
    assertThat(agreement.interval().low()).isZero();
  }

  @Test
  void calibrationSeesALikingForTheFirstPlace() {
    ChatModel pair = request -> Attempts.said("A");
    var groups = List.of(Attempts.saying("aaaa", "bb", "c"), Attempts.saying("a", "bbb", "cc"));
    var ofLists =
        Calibration.of(ruler(RulerTest::firstIsBest, 2, 0), groups, one -> one.reward("env"), 1);
    assertThat(Objects.requireNonNull(ofLists.positionBias()).value())
        .isCloseTo(1.0 / 3, within(1e-9));
    var ofPairs =
        Calibration.of(
            new Pairwise(pair, "judge", Rubric.RULER, 0), groups, one -> one.reward("env"), 1);
    assertThat(Objects.requireNonNull(ofPairs.positionBias()).value()).isEqualTo(0.5);
  }

  @Test
  void attemptsThatAreAllTheSameSayNothingOfPlaces() {
    Judge first = new Pairwise(request -> Attempts.said("A"), "judge", Rubric.RULER, 0);
    var groups = List.of(Attempts.saying("aa", "b"), Attempts.saying("c", "c", "c"));
    var calibration = Calibration.of(first, groups, one -> one.reward("env"), 1);
    var bias = Objects.requireNonNull(calibration.positionBias());
    assertThat(bias.value()).isEqualTo(0.5);
    assertThat(bias.interval().low()).isEqualTo(0.5);
  }

  @Test
  void attemptsWithoutALabelAreNoEvidence() {
    var groups = List.of(Attempts.saying("aaaa", "bb", "c"));
    var calibration =
        Calibration.of(
            ruler(this::byLength, 1, 0),
            groups,
            one -> one.member() == 2 ? Double.NaN : one.reward("env"),
            1);
    assertThat(calibration.pairs()).isEqualTo(1);
    assertThat(Objects.requireNonNull(calibration.agreement()).value()).isEqualTo(1);
  }

  @Test
  void whatKeepsAJudgeFromAnsweringIsSaid() {
    ChatModel locked =
        request -> {
          throw new ChatException(401, "wrong key");
        };
    var groups = List.of(Attempts.saying("aaaa", "bb"), Attempts.saying("a", "bbb"));
    for (Judge judge :
        List.of(ruler(locked, 1, 1), new Pairwise(locked, "judge", Rubric.RULER, 1))) {
      try (var warned = new Warned()) {
        assertThatThrownBy(() -> Calibration.of(judge, groups, one -> one.reward("env"), 1))
            .isInstanceOf(JudgeException.class);
        assertThat(warned.lines())
            .singleElement()
            .asString()
            .startsWith("groups without a verdict, 2 of them: ")
            .endsWith("after 2 trials: wrong key");
      }
    }
  }

  @Test
  void aRubricIsNamedByItsText() {
    var one = new Rubric("mine", "be short");
    assertThat(one.version()).isEqualTo(new Rubric("mine", "be short").version());
    assertThat(one.version()).isNotEqualTo(new Rubric("mine", "be long").version());
  }

  @Test
  void verdictsOfOtherJudgesOrModesHaveOtherLabels() {
    ChatModel first = request -> Attempts.said("A");
    var judges =
        List.of(
            ruler(this::byLength, 1, 0),
            ruler(this::byLength, 2, 0),
            new Ruler(this::byLength, "other", Rubric.RULER, new RulerConfig(1, 0, 1)),
            new Pairwise(first, "judge", Rubric.RULER, 0),
            new Pairwise(first, "other", Rubric.RULER, 0));
    var labels = judges.stream().map(it -> it.judge(Attempts.saying("a", "bb")).rubric()).toList();
    assertThat(labels).doesNotHaveDuplicates().allMatch(label -> label.startsWith("ruler@"));
  }
}

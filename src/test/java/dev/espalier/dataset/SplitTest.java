package dev.espalier.dataset;

import static dev.espalier.dataset.Traffic.call;
import static dev.espalier.dataset.Traffic.example;
import static dev.espalier.dataset.Traffic.message;
import static dev.espalier.dataset.Traffic.messages;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.ChatRequest;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class SplitTest {
  private static final long SEED = Long.getLong("seed", 42L);

  /// Whether the conversations are named or not, no turn of a conversation is on both sides.
  @Test
  void nothingLeaks() {
    for (long seed = SEED; seed < SEED + 40; seed++) {
      var random = new Random(seed);
      var examples = Traffic.conversations(60, random, random.nextBoolean());
      var split = Split.of(examples, 0.2, seed);
      assertThat(split.train().size() + split.validation().size()).isEqualTo(examples.size());
      assertThat(split.validation()).as("seed %d", seed).hasSizeBetween(20, examples.size() / 4);
      for (var held : split.validation()) {
        for (var trained : split.train()) {
          assertThat(related(held, trained))
              .as("seed %d: %s and %s", seed, held.source(), trained.source())
              .isFalse();
        }
      }
    }
  }

  /// The definition that the digests must live up to, message by message.
  private static boolean related(Example a, Example b) {
    if (a.conversation().equals(b.conversation())) return true;
    if (a.request().messages().equals(b.request().messages())) return true;
    return begins(a, b) || begins(b, a);
  }

  private static boolean begins(Example longer, Example shorter) {
    List<JsonNode> whole = new ArrayList<>();
    longer.request().messages().forEach(whole::add);
    List<JsonNode> begin = new ArrayList<>();
    shorter.messages().forEach(begin::add);
    return begin.size() <= whole.size() && whole.subList(0, begin.size()).equals(begin);
  }

  @Test
  void theSplitIsAFunctionOfItsSeed() {
    var examples = Traffic.conversations(50, new Random(SEED), true);
    assertThat(Split.of(examples, 0.2, 1)).isEqualTo(Split.of(examples, 0.2, 1));
    assertThat(Split.of(examples, 0.2, 1)).isNotEqualTo(Split.of(examples, 0.2, 2));
    assertThat(Split.of(examples, 0, 1).validation()).isEmpty();
  }

  @Test
  void aConversationIsFollowedThroughAChangedSystemMessage() {
    var target = message("assistant", "Where?");
    var first =
        example("1", messages(message("system", "It is 9:00."), message("user", "a car")), target);
    var second =
        example(
            "2",
            messages(
                message("system", "It is 9:01."),
                message("user", "a car"),
                target,
                message("user", "Rome")),
            call("x", "rent", "{}"));
    var other = example("3", "It is 9:02.", "a bus", "Where?");
    for (int seed = 0; seed < 20; seed++) {
      var split = Split.of(List.of(first, second, other), 0.4, seed);
      assertThat(split.validation()).containsExactly(other);
    }
  }

  @Test
  void aSharedAnswerDoesNotJoinDocuments() {
    var examples = new ArrayList<Example>();
    for (int i = 0; i < 20; i++) examples.add(example("" + i, "Document " + i, "Spam?", "no"));
    assertThat(Split.of(examples, 0.25, SEED).validation()).hasSize(5);
  }

  @Test
  void aSmallFileStillHoldsSomethingOut() {
    var two = List.of(example("a", "s", "x", "1"), example("b", "s", "y", "2"));
    assertThat(Split.of(two, 0.1, SEED).validation()).hasSize(1);
    var one = List.of(example("a", "s", "x", "1"), example("a", "s", "y", "2"));
    assertThat(Split.of(one, 0.1, SEED).validation()).isEmpty();
  }

  @Test
  void duplicatesAndNearDuplicatesAreLeftOut() {
    var prompt = messages(message("user", "Book a table, please!"));
    var call = call("1", "book", "{\"n\":2}");
    var kept = example("1", prompt, call);
    var result =
        Deduplicate.of(
            List.of(
                kept,
                example("2", prompt, call("other-id", "book", "{ \"n\": 2.0 }")),
                example("3", messages(message("user", "book a table  please")), call),
                example("4", prompt, call("1", "book", "{\"n\":3}")),
                example("5", messages(message("user", "Book a table, please! Now")), call)));
    assertThat(result.kept()).extracting(Example::conversation).containsExactly("1", "4", "5");
    assertThat(result.duplicates()).isEqualTo(1);
    assertThat(result.nearDuplicates()).isEqualTo(1);
  }

  @Test
  void otherToolsMakeAnotherExample() {
    var prompt = messages(message("user", "hi"));
    var tools = messages(message("x", "y"));
    var target = message("assistant", "hello");
    var with = new Example(ChatRequest.of("m", prompt, tools), target, "b", "b");
    assertThat(Deduplicate.of(List.of(example("a", prompt, target), with)).kept()).hasSize(2);
  }

  /// Each turn is learned once, with exactly the messages before it, whichever conversation it was
  /// folded into.
  @Test
  void mergedConversationsLearnEveryTurnOnce() {
    for (long seed = SEED; seed < SEED + 40; seed++) {
      var examples = Deduplicate.of(Traffic.conversations(30, new Random(seed), true)).kept();
      var merged = Conversations.merged(examples);
      var learned = merged.stream().flatMap(SplitTest::learned).toList();
      var wanted = examples.stream().map(e -> e.messages().toString()).toList();
      assertThat(learned).as("seed %d", seed).containsExactlyInAnyOrderElementsOf(wanted);
      assertThat(merged.size()).as("seed %d", seed).isLessThan(examples.size());
      assertThat(new HashSet<>(learned)).hasSize(learned.size());
    }
  }

  /// The messages up to each answer whose weight is not 0.
  private static Stream<String> learned(ChatRequest conversation) {
    var out = Stream.<String>builder();
    var before = messages();
    for (var message : conversation.messages()) {
      var plain = ((ObjectNode) message).deepCopy();
      var weight = plain.remove("weight");
      before.add(plain);
      if (message.path("role").asString().equals("assistant") && weight == null) {
        out.add(before.toString());
      }
    }
    return out.build();
  }
}

package dev.espalier.env;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PortAlderSplitTest {
  @Test
  void heldOutConversationsShareNoValueWithCapturedOnes() {
    var captured = values(PortAlder.captured(1, 2000));
    for (var heldOut :
        List.of(values(PortAlder.heldOut(1, 1000)), values(PortAlder.unseenPhrasings(1, 1000)))) {
      for (var kind : List.of("name", "berth", "date", "nights", "litres")) {
        assertThat(captured.get(kind))
            .as(kind)
            .isNotEmpty()
            .doesNotContainAnyElementsOf(heldOut.get(kind));
      }
    }
  }

  /// The values of all calls by what they are; names word by word.
  private static Map<String, Set<String>> values(Stream<Dialogue> dialogues) {
    var values = new HashMap<String, Set<String>>();
    dialogues
        .flatMap(it -> it.turns().stream())
        .filter(Dialogue.Turn::isCall)
        .map(turn -> Json.parse(turn.answer().calls().getFirst().arguments()))
        .forEach(arguments ->
            arguments.forEachEntry((slot, value) -> {
              var kind =
                  switch (slot) {
                    case "vessel", "reporter" -> "name";
                    case "berth", "from_berth", "to_berth" -> "berth";
                    case "arrival", "lift_date", "move_date" -> "date";
                    default -> slot;
                  };
              var parts =
                  kind.equals("name")
                      ? value.asString().split(" ")
                      : new String[] {value.asString()};
              values.computeIfAbsent(kind, k -> new HashSet<>()).addAll(List.of(parts));
            }));
    return values;
  }

  @Test
  void noCapturedTextHasAHeldOutName() {
    var captured = text(PortAlder.captured(1, 2000));
    for (var word : MarinaValues.heldOut().words()) {
      assertThat(captured.contains(" " + word.toLowerCase(Locale.ROOT) + " ")).as(word).isFalse();
    }
  }

  @Test
  void noCapturedTextHasAnUnseenPhrasing() {
    var captured = text(PortAlder.captured(1, 3000, Difficulty.PLAIN));
    var unseen = text(PortAlder.unseenPhrasings(1, 3000, Difficulty.PLAIN));
    int probes = 0;
    for (var section : MarinaPhrases.sections().entrySet()) {
      for (var family : section.getValue()) {
        if (!family.unseen()) continue;
        for (var phrase : family.phrases()) {
          var probe = longestLiteral(phrase);
          if (probe.length() < 9) continue;
          probes++;
          assertThat(captured.contains(probe)).as(phrase).isFalse();
          if (PortAlder.toolNames().contains(section.getKey())) assertThat(unseen).contains(probe);
        }
      }
    }
    assertThat(probes).isGreaterThan(40);
  }

  private static String longestLiteral(String phrase) {
    return Stream.of(phrase.toLowerCase(Locale.ROOT).split("\\[[^\\]]*]|<[^>]*>|\\{\\w+}"))
        .map(part -> part.replaceAll("[^a-z']+", " ").strip())
        .max(java.util.Comparator.comparingInt(String::length))
        .orElse("");
  }

  private static String text(Stream<Dialogue> dialogues) {
    var text = new StringBuilder();
    dialogues.forEach(dialogue -> {
      for (int i = 1; i < dialogue.messages().size(); i++) {
        text.append(dialogue.messages().get(i).path("content").asString("")).append(" | ");
      }
    });
    return text.toString().toLowerCase(Locale.ROOT).replaceAll("[^a-z'|]+", " ");
  }

  static List<String> tools() {
    return PortAlder.toolNames();
  }

  @ParameterizedTest
  @MethodSource("tools")
  void everyToolCanBeAskedForInTwentySeenWaysAndSomeUnseen(String tool) {
    var seen = new ArrayList<String>();
    var unseen = new ArrayList<String>();
    for (var family : MarinaPhrases.sections().getOrDefault(tool, List.of())) {
      (family.unseen() ? unseen : seen).addAll(family.phrases());
    }
    assertThat(seen).hasSizeGreaterThanOrEqualTo(20).doesNotHaveDuplicates();
    assertThat(unseen).hasSizeGreaterThanOrEqualTo(6).doesNotContainAnyElementsOf(seen);
    for (var phrase : Stream.concat(seen.stream(), unseen.stream()).toList()) {
      var slots = new HashSet<String>();
      MarinaPhrases.SLOT.matcher(phrase).results().forEach(slot -> slots.add(slot.group(1)));
      if (slots.remove("amount")) slots.addAll(List.of("fuel", "litres"));
      assertThat(slots).as(phrase).containsExactlyInAnyOrderElementsOf(PortAlder.arguments(tool));
    }
  }

  @Test
  void everythingThatTheBaseMustNotHaveSeenIsReserved() {
    var reserved = PortAlder.reserved();
    for (var values : List.of(MarinaValues.captured(), MarinaValues.heldOut())) {
      for (var word : values.words()) assertThat(reserved).contains(word.toLowerCase(Locale.ROOT));
    }
    for (var tool : PortAlder.tools()) {
      assertThat(reserved).contains(tool.path("function").path("name").asString());
      tool.path("function")
          .path("parameters")
          .path("properties")
          .forEachEntry((slot, property) -> {
            assertThat(reserved).contains(slot);
            for (var choice : property.path("enum"))
              assertThat(reserved).contains(choice.asString());
          });
    }
  }
}

package dev.espalier.env;

import dev.espalier.env.Dialogue.Turn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;

/// The demo's world: people write to the harbour office of a marina, which answers with tools.
///
/// A conversation is a function of its set, seed and number. Held-out conversations share no
/// vessel, person, berth, date or number with captured ones; those of [#unseenPhrasings] share no
/// way of asking either.
public final class PortAlder {
  /// The calls that each evaluation set has.
  public static final int EVALUATION_CALLS = 300;

  private static final long EVALUATION_SEED = 20_260_401;

  private static final String SYSTEM_PROMPT = MarinaText.read("system-prompt.txt").strip();
  private static final ArrayNode TOOLS = (ArrayNode) MarinaText.json("tools.json");
  private static final Map<String, List<String>> ARGUMENTS = arguments();
  private static final List<String> TOOL_NAMES = List.copyOf(new TreeSet<>(ARGUMENTS.keySet()));

  private PortAlder() {}

  private static Map<String, List<String>> arguments() {
    var arguments = new HashMap<String, List<String>>();
    for (var tool : TOOLS) {
      var function = tool.path("function");
      arguments.put(
          function.path("name").asString(),
          List.copyOf(function.path("parameters").path("properties").propertyNames()));
    }
    return arguments;
  }

  /// The static prompt of the office's assistant: its house conventions.
  public static String systemPrompt() {
    return SYSTEM_PROMPT;
  }

  /// The tools in OpenAI's format.
  public static ArrayNode tools() {
    return TOOLS.deepCopy();
  }

  /// Conversations to capture.
  public static Stream<Dialogue> captured(long seed, int count) {
    return captured(seed, count, Difficulty.MODERATE);
  }

  /// Conversations to capture, as hard as asked.
  public static Stream<Dialogue> captured(long seed, int count, Difficulty difficulty) {
    return write(
        "captured", MarinaValues.captured(), MarinaPhrases.seen(), seed, count, difficulty);
  }

  /// Conversations about values that no captured one has.
  public static Stream<Dialogue> heldOut(long seed, int count) {
    return heldOut(seed, count, Difficulty.MODERATE);
  }

  /// Conversations about values that no captured one has, as hard as asked.
  public static Stream<Dialogue> heldOut(long seed, int count, Difficulty difficulty) {
    return write("held-out", MarinaValues.heldOut(), MarinaPhrases.seen(), seed, count, difficulty);
  }

  /// Conversations about values that no captured one has, asked for in ways that none has.
  public static Stream<Dialogue> unseenPhrasings(long seed, int count) {
    return unseenPhrasings(seed, count, Difficulty.MODERATE);
  }

  /// The same, as hard as asked.
  public static Stream<Dialogue> unseenPhrasings(long seed, int count, Difficulty difficulty) {
    return write("unseen", MarinaValues.heldOut(), MarinaPhrases.unseen(), seed, count, difficulty);
  }

  private static Stream<Dialogue> write(
      String set,
      MarinaValues values,
      MarinaPhrases phrases,
      long seed,
      int count,
      Difficulty difficulty) {
    return IntStream.range(0, count)
        .mapToObj(i ->
            new MarinaScript(values, phrases, difficulty, Draw.of(seed ^ set.hashCode(), i))
                .write(set + "-" + seed + "-" + i));
  }

  /// The fixed held-out set: whole conversations up to the last of [#EVALUATION_CALLS] calls.
  public static List<Turn> evaluation() {
    return untilEnough(heldOut(EVALUATION_SEED, EVALUATION_CALLS));
  }

  /// The fixed second set, which also asks in unseen ways.
  public static List<Turn> evaluationUnseen() {
    return untilEnough(unseenPhrasings(EVALUATION_SEED, EVALUATION_CALLS));
  }

  private static List<Turn> untilEnough(Stream<Dialogue> dialogues) {
    var turns = new ArrayList<Turn>();
    int calls = 0;
    for (var turn : (Iterable<Turn>) dialogues.flatMap(it -> it.turns().stream())::iterator) {
      turns.add(turn);
      if (turn.isCall() && ++calls == EVALUATION_CALLS) break;
    }
    return turns;
  }

  /// Words in lower case that a base model must not have met before the demo: tools, arguments,
  /// values, every word of a name, and what marinas talk about.
  public static Set<String> reserved() {
    var words = new LinkedHashSet<String>();
    MarinaText.sections("reserved.txt").values().forEach(words::addAll);
    return words;
  }

  static List<String> toolNames() {
    return TOOL_NAMES;
  }

  /// The arguments of a tool in the order of its schema.
  static List<String> arguments(String tool) {
    return Objects.requireNonNull(ARGUMENTS.get(tool), tool);
  }
}

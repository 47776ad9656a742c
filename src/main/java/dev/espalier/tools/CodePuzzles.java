package dev.espalier.tools;

import dev.espalier.chat.Json;
import dev.espalier.env.Seeds;
import dev.espalier.env.Task;
import dev.espalier.env.Tasks;
import java.util.ArrayList;
import java.util.Random;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/// Small functions to write, without end: kinds of puzzle with numbers and letters of their own. A
/// fourth of each kind is held out.
public final class CodePuzzles implements Tasks {
  private static final int SHOWN = 2;
  private static final int HIDDEN = 8;
  private static final int PARTS = 4; // one of which is held out

  private final long seed;
  private final boolean heldOut;

  private CodePuzzles(long seed, boolean heldOut) {
    this.seed = seed;
    this.heldOut = heldOut;
  }

  /// Those to practise on.
  public static CodePuzzles practised(long seed) {
    return new CodePuzzles(seed, false);
  }

  /// Those that nobody practises on.
  public static CodePuzzles heldOut(long seed) {
    return new CodePuzzles(seed, true);
  }

  @Override
  public Task at(long number) {
    var random = new Random(Seeds.of(seed, number));
    var puzzle = draw(random);
    var tests = new ArrayList<TestCase>();
    while (tests.size() < SHOWN + HIDDEN) {
      tests.add(puzzle.test(puzzle.listed() ? numbers(random) : words(random)));
    }
    var id = "%s-%d-%d".formatted(puzzle.function(), seed, number);
    var shown = tests.subList(0, SHOWN);
    var hidden = tests.subList(SHOWN, tests.size());
    return new CodeTask(id, puzzle.prompt(), puzzle.function(), shown, hidden).task();
  }

  /// A reference solution of the task of that number.
  String solution(long number) {
    return draw(new Random(Seeds.of(seed, number))).solution();
  }

  private CodePuzzle draw(Random random) {
    int kind = random.nextInt(CodePuzzle.KINDS);
    while (true) {
      int number = random.nextInt(CodePuzzle.count(kind));
      if (((kind + number) % PARTS == 0) == heldOut) return CodePuzzle.of(kind, number);
    }
  }

  private static JsonNode numbers(Random random) {
    var numbers = Json.array();
    int count = 1 + random.nextInt(8);
    for (int i = 0; i < count; i++) numbers.add(random.nextInt(-20, 41));
    return numbers;
  }

  private static JsonNode words(Random random) {
    var words = new ArrayList<String>();
    int count = 1 + random.nextInt(5);
    for (int i = 0; i < count; i++) words.add(word(random));
    return StringNode.valueOf(String.join(" ", words));
  }

  private static String word(Random random) {
    int length = 1 + random.nextInt(9);
    var word = new StringBuilder();
    for (int i = 0; i < length; i++) word.append((char) ('a' + random.nextInt(8)));
    return word.toString();
  }
}

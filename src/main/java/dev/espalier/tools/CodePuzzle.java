package dev.espalier.tools;

import dev.espalier.chat.Json;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// A function of one argument to write, with its answers twice over: in JavaScript and in Java.
///
/// @param listed whether the argument is a list of whole numbers; else it is a text of words
/// @param solution a reference solution
record CodePuzzle(
    String function,
    String prompt,
    boolean listed,
    String solution,
    Function<JsonNode, Object> answer) {
  static final int KINDS = 8;

  /// How many puzzles of that kind there are.
  static int count(int kind) {
    return switch (kind) {
      case 0, 1, 2, 3 -> 19; // numbers from 2 on, as they are in lists
      case 4, 7 -> 7; // numbers from 2 on that are less than a long word's letters
      case 5, 6 -> 8; // letters
      default -> throw new IllegalArgumentException("there is no kind " + kind);
    };
  }

  /// The puzzle of that kind and number.
  ///
  /// @param number 0 or more, below [#count]
  static CodePuzzle of(int kind, int number) {
    int k = 2 + number;
    char letter = (char) ('a' + number);
    return switch (kind) {
      case 0 ->
          ofList(
              "countMultiples",
              "Count the numbers of a list that can be divided by %d.".formatted(k),
              "list => list.filter(n => n %% %d === 0).length".formatted(k),
              list -> list.filter(n -> n % k == 0).count());
      case 1 ->
          ofList(
              "sumAbove",
              "Add up the numbers of a list that are greater than %d.".formatted(k),
              "list => list.filter(n => n > %d).reduce((a, b) => a + b, 0)".formatted(k),
              list -> list.filter(n -> n > k).sum());
      case 2 ->
          ofList(
              "clamp",
              "Return a list with each number below 0 as 0 and each above %1$d as %1$d."
                  .formatted(k),
              "list => list.map(n => Math.max(0, Math.min(%d, n)))".formatted(k),
              list -> list.map(n -> Math.clamp(n, 0, k)).toArray());
      case 3 ->
          ofList(
              "squaresModulo",
              "Add up the squares of the positive numbers of a list, modulo %d.".formatted(k),
              "list => list.reduce((a, n) => n > 0 ? (a + n * n) %% %d : a, 0)".formatted(k),
              list -> list.filter(n -> n > 0).map(n -> n * n).sum() % k);
      case 4 ->
          ofText(
              "everyNth",
              "Return the characters of a text whose index can be divided by %d.".formatted(k),
              "text => [...text].filter((c, i) => i %% %d === 0).join('')".formatted(k),
              text -> text(IntStream.range(0, text.length()).filter(i -> i % k == 0), text));
      case 5 ->
          ofText(
              "countWords",
              "Count the words of a text that hold the letter %s.".formatted(letter),
              "text => text.split(' ').filter(w => w.includes('%s')).length".formatted(letter),
              text -> Arrays.stream(text.split(" ")).filter(w -> w.indexOf(letter) >= 0).count());
      case 6 ->
          ofText(
              "backwards",
              "Turn a text round, without its letters %s.".formatted(letter),
              "text => [...text].reverse().filter(c => c !== '%s').join('')".formatted(letter),
              text -> reversed(text.replace(String.valueOf(letter), "")));
      case 7 ->
          ofText(
              "reverseLong",
              "Reverse each word of a text that has more than %d letters.".formatted(k),
              """
              text => text.split(' ')
                .map(w => w.length > %d ? [...w].reverse().join('') : w).join(' ')\
              """
                  .formatted(k),
              text ->
                  Arrays.stream(text.split(" "))
                      .map(w -> w.length() > k ? reversed(w) : w)
                      .collect(Collectors.joining(" ")));
      default -> throw new IllegalArgumentException("there is no kind " + kind);
    };
  }

  private static CodePuzzle ofList(
      String function, String prompt, String solution, Function<IntStream, Object> answer) {
    return new CodePuzzle(
        function,
        prompt,
        true,
        "const %s = %s;".formatted(function, solution),
        list -> answer.apply(list.valueStream().mapToInt(JsonNode::asInt)));
  }

  private static CodePuzzle ofText(
      String function, String prompt, String solution, Function<String, Object> answer) {
    return new CodePuzzle(
        function,
        prompt,
        false,
        "const %s = %s;".formatted(function, solution),
        text -> answer.apply(text.asString()));
  }

  private static String text(IntStream indices, String text) {
    return indices.mapToObj(i -> text.substring(i, i + 1)).collect(Collectors.joining());
  }

  private static String reversed(String text) {
    return new StringBuilder(text).reverse().toString();
  }

  /// The test that calls the function with an argument.
  TestCase test(JsonNode argument) {
    return new TestCase(
        Json.array().add(argument), Json.MAPPER.valueToTree(answer.apply(argument)));
  }
}

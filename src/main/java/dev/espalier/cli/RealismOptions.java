package dev.espalier.cli;

import dev.espalier.env.Difficulty;
import dev.espalier.env.Realism;
import java.time.Duration;
import picocli.CommandLine.Option;

/// How near to real life an environment's people and tools are: a dial each, as [Realism] and
/// [Difficulty] have them.
final class RealismOptions {
  private static final String RATE = " (0 to 1; default: ${DEFAULT-VALUE}).";

  @Option(names = "--typos", description = "Words that are misspelt" + RATE)
  private double typos = Difficulty.MODERATE.typos();

  @Option(names = "--changes", description = "Requests that their author corrects" + RATE)
  private double changes = Difficulty.MODERATE.changes();

  @Option(names = "--omissions", description = "Values that have to be asked for" + RATE)
  private double omissions = Difficulty.MODERATE.omissions();

  @Option(names = "--rambling", description = "Messages that wander off" + RATE)
  private double rambling = Difficulty.MODERATE.rambling();

  @Option(names = "--carelessness", description = "Names and codes written otherwise" + RATE)
  private double carelessness = Difficulty.MODERATE.carelessness();

  @Option(names = "--small-talk", description = "Tasks with a question no tool is for" + RATE)
  private double smallTalk = Realism.MODERATE.people().smallTalk();

  @Option(
      names = "--manner",
      description =
          "How people write: any, plain, terse, polite, chatty or rude (default: ${DEFAULT-VALUE}).")
  private String manner = Realism.MODERATE.manner();

  @Option(names = "--mistaken", description = "Answers to another question than was asked" + RATE)
  private double mistaken = Realism.MODERATE.mistaken();

  @Option(names = "--failing-tools", description = "Tool calls that fail" + RATE)
  private double failing = Realism.MODERATE.failing();

  @Option(names = "--wrong-results", description = "Lookups that answer about another" + RATE)
  private double wrong = Realism.MODERATE.wrong();

  @Option(
      names = "--slowest-tool",
      description = "A tool takes up to that long, such as PT0.2S (default: ${DEFAULT-VALUE}).")
  private Duration slowest = Realism.MODERATE.slowest();

  /// Whether any dial was moved.
  boolean given() {
    return !realism().equals(Realism.MODERATE);
  }

  /// @throws IllegalArgumentException if a dial is out of its range
  Realism realism() {
    var people = new Difficulty(typos, changes, omissions, rambling, carelessness, smallTalk);
    return new Realism(people, manner, mistaken, failing, wrong, slowest);
  }
}

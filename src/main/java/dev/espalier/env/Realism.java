package dev.espalier.env;

import java.time.Duration;

/// How near to real life an attempt in [MarinaEnv] is: rates between 0 and 1.
///
/// @param people how hard they make it in what they write
/// @param manner `any`, or one that all have: `plain`, `terse`, `polite`, `chatty`, `rude`
/// @param mistaken of answers that are about something else than what was asked
/// @param failing of tool calls that fail and must be made again
/// @param wrong of lookups that answer about another vessel; other tools answer nothing to read
/// @param slowest how long the slowest tool takes
public record Realism(
    Difficulty people,
    String manner,
    double mistaken,
    double failing,
    double wrong,
    Duration slowest) {
  /// Tools that work, and people who say everything once and spell it right.
  public static final Realism NONE = new Realism(Difficulty.PLAIN, "any", 0, 0, 0, Duration.ZERO);

  /// People as in the demo's captured traffic but for their small talk, and tools that work.
  public static final Realism MODERATE =
      new Realism(Difficulty.MODERATE.withoutSmallTalk(), "any", 0, 0, 0, Duration.ZERO);

  public Realism {
    if (!MarinaSpeech.manners().contains(manner)) {
      throw new IllegalArgumentException(
          "people write any, plain, terse, polite, chatty or rude, not " + manner);
    }
    for (double rate : new double[] {mistaken, failing, wrong}) {
      if (!(rate >= 0 && rate < 1)) {
        throw new IllegalArgumentException("a rate must be at least 0 and below 1, not " + rate);
      }
    }
    if (slowest.isNegative()) throw new IllegalArgumentException("no tool is that fast");
  }
}

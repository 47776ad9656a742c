package dev.espalier.env;

/// How hard the people of [PortAlder] make it, as rates between 0 and 1.
///
/// @param typos of words that are misspelt; names, numbers and codes never are
/// @param changes of requests that are corrected by their author, in the same breath or later
/// @param omissions of values that are left out and must be asked for
/// @param rambling of messages that wander off
/// @param carelessness of names in lower case and of berth codes not written as the house does
/// @param smallTalk of tasks that come with a question no tool is for
public record Difficulty(
    double typos,
    double changes,
    double omissions,
    double rambling,
    double carelessness,
    double smallTalk) {

  /// What the demo uses.
  public static final Difficulty MODERATE = new Difficulty(0.02, 0.12, 0.10, 0.15, 0.06, 0.06);

  /// People who say everything once and spell it right.
  public static final Difficulty PLAIN = new Difficulty(0, 0, 0, 0, 0, 0);

  /// The same people, who come straight to what they want.
  Difficulty withoutSmallTalk() {
    return new Difficulty(typos, changes, omissions, rambling, carelessness, 0);
  }

  public Difficulty {
    for (double rate :
        new double[] {typos, changes, omissions, rambling, carelessness, smallTalk}) {
      if (!(rate >= 0 && rate <= 1)) {
        throw new IllegalArgumentException("a rate must be between 0 and 1, not " + rate);
      }
    }
  }
}

package dev.espalier.judge;

import dev.espalier.chat.Sha256;

/// What a judge goes by.
///
/// @param name for people
/// @param text as the judge reads it
public record Rubric(String name, String text) {
  /// RULER's own, in substance: the goal, the way there, and gaps that mean something.
  public static final Rubric RULER =
      new Rubric(
          "ruler",
          """
          - A trajectory that reaches its goal scores well above one that does not.
          - A trajectory that reaches its goal in fewer steps scores higher than one that takes a detour.
          - If two trajectories differ little, so do their scores; a clear difference makes a clear gap.
          - A trajectory that fails but came closer to its goal gets partial credit for it.
          Only the order of the scores and the gaps between them matter.\
          """);

  public Rubric {
    if (text.isBlank()) throw new IllegalArgumentException("a rubric without a word");
  }

  /// Names this text.
  public String version() {
    return named(text);
  }

  /// Names this text, who goes by it, and how that one is asked: a verdict knows it, so that those
  /// of two judges lie beside each other.
  String version(String judge, String mode) {
    return named(String.join("\n", judge, mode, text));
  }

  private String named(String all) {
    return name + "@" + new Sha256().add(all).hex().substring(0, 12);
  }
}

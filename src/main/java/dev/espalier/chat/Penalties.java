package dev.espalier.chat;

/// What sampling takes from the logits of tokens that the answer has already, as OpenAI defines it.
///
/// @param frequency for each time that a token came
/// @param presence once it came at all
public record Penalties(double frequency, double presence) {
  /// None.
  public static final Penalties NONE = new Penalties(0, 0);

  private static final double MOST = 2;

  public Penalties {
    check("frequency_penalty", frequency);
    check("presence_penalty", presence);
  }

  private static void check(String field, double penalty) {
    if (Math.abs(penalty) <= MOST) return;
    throw new ChatException(400, "%s must be between -2 and 2, not %s".formatted(field, penalty));
  }

  /// Of a token that came so often.
  public double of(int times) {
    return frequency * times + presence;
  }
}

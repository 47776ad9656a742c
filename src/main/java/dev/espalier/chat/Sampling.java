package dev.espalier.chat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// How a completion is sampled. Its fields mean what OpenAI's of the same name mean.
///
/// @param temperature 0 is greedy
/// @param topK 0 is off
/// @param minP 0 is off
/// @param maxTokens the most tokens to sample
/// @param seed null draws one
/// @param stop texts that end the completion and are cut from it
/// @param penalties of tokens that come again
/// @param topLogprobs how many alternatives to report a token; negative reports no
///   log-probabilities
public record Sampling(
    double temperature,
    double topP,
    int topK,
    double minP,
    int maxTokens,
    @Nullable Long seed,
    List<String> stop,
    Penalties penalties,
    int topLogprobs) {
  /// The highest temperature.
  public static final double HOTTEST = 2;

  private static final int MOST_LIKELY = 20;

  public Sampling {
    if (!(temperature >= 0 && temperature <= HOTTEST)) {
      throw new ChatException(400, "temperature must be between 0 and 2, not " + temperature);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new ChatException(400, "top_p must be above 0 and at most 1, not " + topP);
    }
    if (topK < 0) throw new ChatException(400, "top_k must not be negative, not " + topK);
    if (!(minP >= 0 && minP < 1)) {
      throw new ChatException(400, "min_p must be at least 0 and below 1, not " + minP);
    }
    if (topLogprobs > MOST_LIKELY) {
      throw new ChatException(
          400, "top_logprobs must be between 0 and %d, not %d".formatted(MOST_LIKELY, topLogprobs));
    }
    if (maxTokens < 1) throw new ChatException(400, "max_tokens must be at least 1");
    if (stop.contains("")) {
      throw new ChatException(400, "stop must not be empty: name a text, or leave it out");
    }
    stop = List.copyOf(stop);
  }

  /// Greedy decoding of at most that many tokens.
  public static Sampling greedy(int maxTokens) {
    return new Sampling(0, 1, 0, 0, maxTokens, 0L, List.of(), Penalties.NONE, -1);
  }
}

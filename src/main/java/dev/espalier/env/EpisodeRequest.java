package dev.espalier.env;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import java.util.Map;

/// What the policy is asked where an agent asked something: the same, sampled as the run samples.
///
/// An agent that wants it sampled otherwise is told so: tokens drawn from other probabilities than
/// those that are trained would be learnt from wrongly.
final class EpisodeRequest {
  /// What an agent may say of sampling: that it should be left alone.
  private static final Map<String, Double> NEUTRAL =
      Map.of(
          "temperature", 1.0,
          "top_p", 1.0,
          "top_k", 0.0,
          "min_p", 0.0,
          "frequency_penalty", 0.0,
          "presence_penalty", 0.0,
          "repetition_penalty", 1.0);

  private EpisodeRequest() {}

  /// @throws ChatException with status 400 that names the field at fault
  static ChatRequest of(ChatRequest asked, RolloutConfig config, long seed) {
    NEUTRAL.forEach((field, neutral) -> checkNeutral(asked, field, neutral));
    var json = asked.json();
    if (json.hasNonNull("seed")) throw refused("seed", "the run draws the seeds");
    if (!json.path("logit_bias").isEmpty()) throw refused("logit_bias", "it changes probabilities");
    var format = json.path("response_format");
    if (format.isObject() && !format.path("type").asString("").equals("text")) {
      throw refused("response_format", "nothing constrains what a policy samples");
    }
    var choice = json.path("tool_choice");
    boolean free = choice.isNull() || choice.isMissingNode() || choice.asString("").equals("auto");
    if (!free) throw refused("tool_choice", "nothing constrains what a policy samples");
    for (var tool : json.path("tools")) {
      if (tool.path("function").path("strict").asBoolean(false)) {
        throw refused("strict of a tool", "nothing constrains what a policy samples");
      }
    }
    var _ = asked.conversation(); // a role that nobody knows is the agent's fault
    return sampled(asked, config, seed);
  }

  private static void checkNeutral(ChatRequest asked, String field, double neutral) {
    var value = asked.json().path(field);
    if (value.isNull() || value.isMissingNode()) return;
    if (value.isNumber() && value.asDouble() == neutral) return;
    throw refused(
        field,
        "a policy that learns is sampled once, at the run's temperature and without truncation");
  }

  private static ChatException refused(String field, String why) {
    return new ChatException(
        400, "%s cannot be set in an episode: %s. Leave it out".formatted(field, why));
  }

  private static ChatRequest sampled(ChatRequest asked, RolloutConfig config, long seed) {
    var json = Json.object();
    json.setAll(asked.json());
    boolean limited = json.hasNonNull("max_tokens") || json.hasNonNull("max_completion_tokens");
    int most = limited ? asked.sampling().maxTokens() : config.maxTokens();
    json.remove("max_completion_tokens");
    json.put("temperature", config.temperature())
        .put("max_tokens", Math.min(most, config.maxTokens()))
        .put("seed", seed);
    return new ChatRequest(json);
  }
}

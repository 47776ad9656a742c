package dev.espalier.chat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What a request may ask of a model of this process. A field that would be ignored is an error,
/// for its client would get answers that it did not ask for.
final class LocalFields {
  private static final Set<String> OBEYED =
      Set.of(
          "model",
          "messages",
          "tools",
          "tool_choice",
          "parallel_tool_calls",
          "response_format",
          "temperature",
          "top_p",
          "top_k",
          "min_p",
          "max_tokens",
          "max_completion_tokens",
          "seed",
          "stop",
          "n",
          "frequency_penalty",
          "presence_penalty",
          "logprobs",
          "top_logprobs",
          "stream",
          "stream_options",
          "chat_template_kwargs");

  /// What says nothing about the answer, or how another model is to be found or run.
  private static final Set<String> ASIDE =
      Set.of(
          "user",
          "metadata",
          "store",
          "service_tier",
          "prompt_cache_key",
          "prompt_cache_retention",
          "safety_identifier",
          "prediction",
          "reasoning_effort",
          "verbosity",
          "provider",
          "route",
          "models",
          "usage");

  /// The values that change nothing, where that is not zero, false or nothing.
  private static final Map<String, JsonNode> NEUTRAL =
      Map.of(
          "repetition_penalty", Json.MAPPER.valueToTree(1.0),
          "length_penalty", Json.MAPPER.valueToTree(1.0),
          "typical_p", Json.MAPPER.valueToTree(1.0),
          "best_of", Json.MAPPER.valueToTree(1.0),
          "add_generation_prompt", Json.MAPPER.valueToTree(true),
          "skip_special_tokens", Json.MAPPER.valueToTree(true),
          "spaces_between_special_tokens", Json.MAPPER.valueToTree(true),
          "modalities", Json.MAPPER.valueToTree(List.of("text")));

  private static final String GUIDED = "response_format limits answers, by a JSON schema";
  private static final String ENDING = "an answer ends where the model ends it";
  private static final String DRAWING = "temperature, top_p, top_k and min_p say how it samples";
  private static final String SPECIAL = "answers have no special tokens";
  private static final Map<String, String> WHY_NOT =
      Map.ofEntries(
          Map.entry("logit_bias", "it names another model's tokens"),
          Map.entry("functions", "it is the old form of tools"),
          Map.entry("function_call", "it is the old form of tool_choice"),
          Map.entry("audio", "answers are text"),
          Map.entry("modalities", "answers are text"),
          Map.entry("web_search_options", "nothing is searched"),
          Map.entry("guided_json", GUIDED),
          Map.entry("guided_regex", GUIDED),
          Map.entry("guided_choice", GUIDED),
          Map.entry("guided_grammar", GUIDED),
          Map.entry("structured_outputs", GUIDED),
          Map.entry("min_tokens", ENDING),
          Map.entry("ignore_eos", ENDING),
          Map.entry("stop_token_ids", "stop takes texts"),
          Map.entry("repetition_penalty", "frequency_penalty and presence_penalty are obeyed"),
          Map.entry("length_penalty", DRAWING),
          Map.entry("typical_p", DRAWING),
          Map.entry("best_of", "n answers are sampled, and none is left out"),
          Map.entry("add_generation_prompt", "an answer begins where the template says"),
          Map.entry("skip_special_tokens", SPECIAL),
          Map.entry("spaces_between_special_tokens", SPECIAL));

  private LocalFields() {}

  /// @throws ChatException with status 400 that names a field which asks for what is not done here
  static void check(ObjectNode request) {
    for (var field : request.properties()) {
      var why = WHY_NOT.get(field.getKey());
      if (why != null && !changesNothing(field.getKey(), field.getValue())) {
        throw refused(field.getKey(), why);
      }
    }
  }

  /// @throws ChatException with status 400 that names a field which is not known here
  static void checkKnown(ObjectNode request) {
    for (var field : request.properties()) {
      var name = field.getKey();
      boolean known = OBEYED.contains(name) || ASIDE.contains(name) || WHY_NOT.containsKey(name);
      if (!known && !field.getValue().isNull()) throw refused(name, "it is not known here");
    }
  }

  private static ChatException refused(String field, String why) {
    return new ChatException(
        400, "%s is not for a model of this process: %s. Leave it out".formatted(field, why));
  }

  private static boolean changesNothing(String name, JsonNode value) {
    if (value.isNull()) return true;
    var neutral = NEUTRAL.get(name);
    if (neutral == null) return asksNothing(value) && !name.equals("web_search_options");
    if (neutral.isNumber()) return value.isNumber() && value.asDouble() == neutral.asDouble();
    return value.equals(neutral);
  }

  private static boolean asksNothing(JsonNode value) {
    if (value.isContainer()) return value.isEmpty();
    if (value.isNumber()) return value.asDouble() == 0;
    return value.isBoolean() && !value.asBoolean();
  }
}

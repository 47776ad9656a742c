package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What a decoder-only transformer is made of: everything in which model families differ.
///
/// @param family the `model_type` of config.json
/// @param width the hidden size
/// @param ffn the width of the gated feed-forward layer
/// @param qkNorm whether queries and keys are normalised per head before RoPE (Qwen3)
/// @param qkvBias whether the q, k and v projections have a bias (Qwen2)
/// @param tiedHead whether the head is the embedding
/// @param context the longest sequence, in tokens
public record ModelShape(
    String family,
    int layers,
    int width,
    int heads,
    int kvHeads,
    int headDim,
    int ffn,
    int vocabulary,
    boolean qkNorm,
    boolean qkvBias,
    boolean tiedHead,
    double normEps,
    double ropeTheta,
    RopeScaling ropeScaling,
    int context) {

  public ModelShape {
    if (layers < 1 || width < 1 || heads < 1 || kvHeads < 1 || headDim < 2 || ffn < 1) {
      throw new ModelException("a model's sizes must be positive");
    }
    if (heads % kvHeads != 0) {
      throw new ModelException(heads + " heads cannot share " + kvHeads + " key-value heads");
    }
    if (headDim % 2 != 0) throw new ModelException("rotary embedding needs an even head_dim");
    if (vocabulary < 2) throw new ModelException("vocab_size must be at least 2");
  }

  /// The shape written in a model folder's config.json.
  ///
  /// @throws ModelException if the file is missing, broken, or of a family or option not supported
  public static ModelShape read(Path folder) {
    var file = folder.resolve("config.json");
    JsonNode config;
    try {
      config = JsonMapper.shared().readTree(Files.readString(file));
    } catch (IOException e) {
      throw new ModelException("no readable " + file + ": is this a Hugging Face model folder?", e);
    } catch (JacksonException e) {
      throw new ModelException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
    try {
      return of(config);
    } catch (ModelException e) {
      throw new ModelException(file + ": " + e.getMessage(), e);
    }
  }

  private static ModelShape of(JsonNode config) {
    var family = config.path("model_type").asString("");
    refuse(config, "hidden_act", "silu");
    refuseSlidingWindow(config);
    int width = required(config, "hidden_size");
    int heads = required(config, "num_attention_heads");
    return new ModelShape(
        family,
        required(config, "num_hidden_layers"),
        width,
        heads,
        config.path("num_key_value_heads").asInt(heads),
        config.hasNonNull("head_dim") ? config.get("head_dim").asInt() : width / heads,
        required(config, "intermediate_size"),
        required(config, "vocab_size"),
        qkNorm(family),
        family.equals("qwen2") || config.path("attention_bias").asBoolean(false),
        config.path("tie_word_embeddings").asBoolean(false),
        config.path("rms_norm_eps").asDouble(1e-6),
        ropeParameters(config).path("rope_theta").asDouble(config.path("rope_theta").asDouble(1e4)),
        scaling(ropeParameters(config)),
        config.path("max_position_embeddings").asInt(2048));
  }

  /// Also the list of families: one not named here is refused.
  private static boolean qkNorm(String family) {
    return switch (family) {
      case "qwen3" -> true;
      case "qwen2", "llama", "mistral" -> false;
      default ->
          throw new ModelException(
              "model_type \""
                  + family
                  + "\" is not supported; known: qwen3, qwen2, llama, mistral");
    };
  }

  private static JsonNode ropeParameters(JsonNode config) {
    return config.hasNonNull("rope_parameters")
        ? config.get("rope_parameters")
        : config.path("rope_scaling");
  }

  private static RopeScaling scaling(JsonNode rope) {
    var type = rope.path("rope_type").asString(rope.path("type").asString("default"));
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(factor(rope));
      case "llama3" ->
          new RopeScaling.Llama3(
              factor(rope),
              rope.path("low_freq_factor").asDouble(),
              rope.path("high_freq_factor").asDouble(),
              rope.path("original_max_position_embeddings").asInt());
      default -> throw new ModelException("rope type \"" + type + "\" is not supported");
    };
  }

  private static double factor(JsonNode rope) {
    if (!rope.path("factor").isNumber()) throw new ModelException("rope scaling has no factor");
    return rope.get("factor").asDouble();
  }

  private static int required(JsonNode config, String key) {
    if (!config.path(key).isInt()) throw new ModelException(key + " is missing or not an integer");
    return config.get(key).asInt();
  }

  /// A window that is shorter than the context would change every long sequence.
  private static void refuseSlidingWindow(JsonNode config) {
    boolean used = config.path("use_sliding_window").asBoolean(true);
    int context = config.path("max_position_embeddings").asInt(2048);
    if (used && config.path("sliding_window").asInt(context) < context) {
      throw new ModelException("sliding_window is not supported");
    }
    for (var type : config.path("layer_types")) {
      if (!type.asString("").equals("full_attention")) {
        throw new ModelException("layer type \"" + type.asString("") + "\" is not supported");
      }
    }
  }

  private static void refuse(JsonNode config, String key, String only) {
    var value = config.path(key).asString(only);
    if (!value.equals(only)) {
      throw new ModelException(key + " \"" + value + "\" is not supported, only \"" + only + "\"");
    }
  }

  /// One weight matrix or vector with the name Hugging Face gives it.
  public record Parameter(String name, long... shape) {
    /// How many numbers it holds.
    public long size() {
      long size = 1;
      for (long dimension : shape) size *= dimension;
      return size;
    }
  }

  /// A linear layer that an adapter can change.
  ///
  /// @param name its Hugging Face name without `.weight`
  public record Linear(String name, int in, int out) {
    /// The last part of the name, which PEFT's `target_modules` speaks of.
    public String kind() {
      return name.substring(name.lastIndexOf('.') + 1);
    }
  }

  /// The linear layers of every block, in order; the head is not among them.
  public List<Linear> linears() {
    var out = new ArrayList<Linear>();
    for (int layer = 0; layer < layers; layer++) {
      for (var projection : projections(layer)) out.addAll(projection.parts());
    }
    return out;
  }

  /// The smallest side of the linear layers of the blocks: an adapter of a higher rank is larger
  /// than what it adapts.
  public int highestRank() {
    return linears().stream().mapToInt(it -> Math.min(it.in(), it.out())).min().orElseThrow();
  }

  /// What a block computes as one product each: queries, keys and values; the attention's output;
  /// gate and up; down.
  List<Projection> projections(int layer) {
    var attention = "model.layers." + layer + ".self_attn.";
    var mlp = "model.layers." + layer + ".mlp.";
    return List.of(
        Projection.of(
            new Linear(attention + "q_proj", width, heads * headDim),
            new Linear(attention + "k_proj", width, kvHeads * headDim),
            new Linear(attention + "v_proj", width, kvHeads * headDim)),
        Projection.of(new Linear(attention + "o_proj", heads * headDim, width)),
        Projection.of(
            new Linear(mlp + "gate_proj", width, ffn), new Linear(mlp + "up_proj", width, ffn)),
        Projection.of(new Linear(mlp + "down_proj", ffn, width)));
  }

  /// The head, which an adapter can change too.
  Projection head() {
    return Projection.of(new Linear("lm_head", width, vocabulary));
  }

  /// All of them, the head last.
  List<Projection> projections() {
    var out = new ArrayList<Projection>();
    for (int layer = 0; layer < layers; layer++) out.addAll(projections(layer));
    out.add(head());
    return out;
  }

  /// Every weight the model needs, with its shape.
  public List<Parameter> parameters() {
    var out = new ArrayList<Parameter>();
    out.add(new Parameter("model.embed_tokens.weight", vocabulary, width));
    for (var linear : linears()) {
      out.add(new Parameter(linear.name() + ".weight", linear.out(), linear.in()));
      if (qkvBias && linear.name().matches(".*[qkv]_proj")) {
        out.add(new Parameter(linear.name() + ".bias", linear.out()));
      }
    }
    for (int layer = 0; layer < layers; layer++) {
      var block = "model.layers." + layer + ".";
      out.add(new Parameter(block + "input_layernorm.weight", width));
      out.add(new Parameter(block + "post_attention_layernorm.weight", width));
      if (qkNorm) {
        out.add(new Parameter(block + "self_attn.q_norm.weight", headDim));
        out.add(new Parameter(block + "self_attn.k_norm.weight", headDim));
      }
    }
    out.add(new Parameter("model.norm.weight", width));
    if (!tiedHead) out.add(new Parameter("lm_head.weight", vocabulary, width));
    return out;
  }

  /// How many numbers a token's queries, keys and values are.
  public int qkvWidth() {
    return (heads + 2 * kvHeads) * headDim;
  }

  /// How many numbers the model has.
  public long size() {
    return parameters().stream().mapToLong(Parameter::size).sum();
  }

  /// What its weights take.
  public long bytes(Dtype dtype) {
    return size() * dtype.bytes();
  }
}

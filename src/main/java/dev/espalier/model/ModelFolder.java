package dev.espalier.model;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/// Writes a Hugging Face model folder.
public final class ModelFolder {
  private static final List<String> TOKENIZER =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "generation_config.json",
          "chat_template.jinja",
          "README.md");

  private ModelFolder() {}

  /// Writes config and weights, and copies the tokenizer's files from another folder.
  ///
  /// @param dtype the type of the weights on disk
  /// @throws ModelException if a file cannot be written
  public static void write(
      Path folder, ModelShape shape, Weights weights, Dtype dtype, Path tokenizer) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), config(shape, dtype));
      for (var name : TOKENIZER) {
        var from = tokenizer.resolve(name);
        if (Files.exists(from) && !Files.isSameFile(tokenizer, folder)) {
          Files.copy(from, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
      }
      Device.cpu().run(Urgency.TRAIN, () -> weights.save(folder, dtype));
    } catch (IOException e) {
      throw new ModelException("cannot write the model folder " + folder, e);
    }
  }

  private static String config(ModelShape shape, Dtype dtype) {
    if (!shape.family().equals("qwen3") || !(shape.ropeScaling() instanceof RopeScaling.None)) {
      throw new IllegalArgumentException("only the config of plain Qwen3 models is written");
    }
    var json = JsonMapper.shared().createObjectNode();
    json.putArray("architectures").add("Qwen3ForCausalLM");
    json.put("model_type", "qwen3")
        .put("num_hidden_layers", shape.layers())
        .put("hidden_size", shape.width())
        .put("num_attention_heads", shape.heads())
        .put("num_key_value_heads", shape.kvHeads())
        .put("head_dim", shape.headDim())
        .put("intermediate_size", shape.ffn())
        .put("vocab_size", shape.vocabulary())
        .put("hidden_act", "silu")
        .put("attention_bias", false)
        .put("tie_word_embeddings", shape.tiedHead())
        .put("rms_norm_eps", shape.normEps())
        .put("rope_theta", shape.ropeTheta())
        .put("max_position_embeddings", shape.context())
        .put("torch_dtype", dtype == Dtype.BF16 ? "bfloat16" : "float32");
    return json.toPrettyString() + "\n";
  }
}

package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Adapters as PEFT folders: `adapter_config.json` and `adapter_model.safetensors`, as PEFT and
/// vLLM load them.
///
/// What an adapter asks for and we cannot honour, such as DoRA, is an error and never ignored.
public final class Peft {
  private static final String CONFIG = "adapter_config.json";

  /// The file of an adapter's weights in its folder.
  public static final String WEIGHTS = "adapter_model.safetensors";

  /// The files of an adapter's folder.
  public static final List<String> FILES = List.of(CONFIG, WEIGHTS);

  private static final String PREFIX = "base_model.model.";

  /// Settings that do not change what a trained adapter computes.
  private static final Set<String> HARMLESS =
      Set.of(
          "alpha_pattern",
          "arrow_config",
          "auto_mapping",
          "base_model_name_or_path",
          "bias",
          "ensure_weight_tying",
          "eva_config",
          "exclude_modules",
          "inference_mode",
          "init_lora_weights",
          "lora_alpha",
          "lora_dropout",
          "megatron_core",
          "peft_type",
          "peft_version",
          "r",
          "rank_pattern",
          "revision",
          "target_modules",
          "task_type",
          "use_rslora",
          "corda_config",
          "loftq_config",
          "layers_pattern",
          "runtime_config",
          "qalora_group_size");

  private Peft() {}

  /// Loads an adapter for models of that shape; its tensors live until [Lora#close].
  ///
  /// @throws ModelException if a file is missing or broken, does not fit the model, or asks for
  ///   what is not supported
  public static Lora load(Path folder, ModelShape shape) {
    var config = config(folder);
    try (var arena = Arena.ofShared()) { // adapters come and go
      return load(folder, config, shape, Safetensors.open(folder.resolve(WEIGHTS), arena));
    }
  }

  private static Lora load(Path folder, JsonNode config, ModelShape shape, Safetensors file) {
    var names = new TreeSet<>(file.names());
    var sites = new LinkedHashMap<String, Lora.Site>();
    var linears = new ArrayList<>(shape.linears());
    linears.add(new ModelShape.Linear("lm_head", shape.width(), shape.vocabulary()));
    try (var scope = new Scope()) {
      for (var linear : linears) {
        var a = PREFIX + linear.name() + ".lora_A.weight";
        var b = PREFIX + linear.name() + ".lora_B.weight";
        boolean hasA = names.remove(a);
        boolean hasB = names.remove(b);
        if (hasA != hasB) {
          throw new ModelException(folder + ": " + linear.name() + " has only one of A and B");
        }
        if (!hasA) continue;
        int rank = (int) setting(config, "rank_pattern", linear.name(), config.path("r").asInt());
        check(folder, a, file.shape(a), rank, linear.in());
        check(folder, b, file.shape(b), linear.out(), rank);
        double alpha =
            setting(config, "alpha_pattern", linear.name(), config.path("lora_alpha").asDouble());
        double scale =
            config.path("use_rslora").asBoolean(false) ? alpha / Math.sqrt(rank) : alpha / rank;
        sites.put(linear.name(), new Lora.Site(leaf(scope, file, a), leaf(scope, file, b), scale));
      }
    }
    if (!names.isEmpty()) {
      throw new ModelException(
          "%s has %d tensors that fit no layer of the model, such as %s"
              .formatted(folder, names.size(), names.first()));
    }
    if (sites.isEmpty()) throw new ModelException(folder + " adapts no layer");
    return new Lora(sites);
  }

  private static Tensor leaf(Scope scope, Safetensors file, String name) {
    var tensor = file.tensor(name).to(Dtype.F32.scalar()).clone();
    tensor.set_requires_grad(true);
    return scope.keep(tensor);
  }

  private static void check(Path folder, String name, long[] shape, long rows, long columns) {
    if (!Arrays.equals(shape, new long[] {rows, columns})) {
      throw new ModelException(
          "%s: %s has shape %s, but the model and the config ask for [%d, %d]"
              .formatted(folder, name, Arrays.toString(shape), rows, columns));
    }
  }

  private static JsonNode config(Path folder) {
    var file = folder.resolve(CONFIG);
    JsonNode config;
    try {
      config = JsonMapper.shared().readTree(Files.readString(file));
    } catch (IOException e) {
      throw new ModelException("no readable " + file + ": is this a PEFT adapter folder?", e);
    } catch (JacksonException e) {
      throw new ModelException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
    if (!config.path("peft_type").asString("").equals("LORA")) {
      throw new ModelException(file + ": only peft_type LORA is supported");
    }
    if (!config.path("bias").asString("none").equals("none")) {
      throw new ModelException(file + ": trained biases are not supported (bias must be none)");
    }
    if (config.path("r").asInt() < 1) throw new ModelException(file + ": r must be at least 1");
    for (var field : config.properties()) {
      if (HARMLESS.contains(field.getKey()) || isOff(field.getValue())) continue;
      throw new ModelException(file + ": " + field.getKey() + " is set but not supported");
    }
    return config;
  }

  private static boolean isOff(JsonNode value) {
    if (value.isBoolean()) return !value.asBoolean();
    return value.isContainer() ? value.isEmpty() : value.isNull();
  }

  /// A layer's own value where a pattern names it, as PEFT matches: the pattern at the end of the
  /// name.
  private static double setting(JsonNode config, String key, String linear, double otherwise) {
    for (var pattern : config.path(key).properties()) {
      if (linear.matches("(.*\\.)?(" + pattern.getKey() + ")"))
        return pattern.getValue().asDouble();
    }
    return otherwise;
  }

  /// Writes an adapter as a PEFT folder.
  ///
  /// @param base what to name as `base_model_name_or_path`
  /// @throws ModelException if a file cannot be written
  public static void save(Path folder, Lora lora, String base) {
    var sites = lora.sites();
    var first = sites.firstEntry().getValue();
    var config = JsonMapper.shared().createObjectNode();
    config.put("peft_type", "LORA").put("task_type", "CAUSAL_LM");
    config.put("base_model_name_or_path", base).put("r", first.rank());
    config.put("lora_alpha", first.scale() * first.rank());
    config.put("lora_dropout", 0.0).put("bias", "none").put("fan_in_fan_out", false);
    config.put("inference_mode", true).put("use_rslora", false);
    var targets = config.putArray("target_modules");
    var ranks = config.putObject("rank_pattern");
    var alphas = config.putObject("alpha_pattern");
    sites.forEach((name, site) -> {
      targets.add(name);
      if (site.rank() != first.rank()) ranks.put(name, site.rank());
      double alpha = site.scale() * site.rank();
      if (alpha != first.scale() * first.rank()) alphas.put(name, alpha);
    });
    try (var scope = new Scope()) {
      Files.createDirectories(folder);
      var tensors = new LinkedHashMap<String, Tensor>();
      lora.parameters().forEach((name, tensor) -> tensors.put(PREFIX + name, tensor.detach()));
      Safetensors.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
      Files.writeString(folder.resolve(CONFIG), config.toPrettyString() + "\n");
    } catch (IOException e) {
      throw new ModelException("cannot write the adapter " + folder, e);
    }
  }
}

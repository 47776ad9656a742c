package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// A model with an adapter's part added to its weights, for software that knows no adapters.
public final class MergedModel {
  /// What a model folder has beside weights.
  private static final Pattern BESIDE =
      Pattern.compile("(?i).*\\.(json|jinja|txt|model|md)|licen[cs]e.*");

  private static final String INDEX = ".safetensors.index.json";
  private static final String WEIGHT = ".weight";

  private MergedModel() {}

  /// Writes W + scale · B·A as a model folder, rounded once to each weight's own type.
  ///
  /// @param base the folder of the model that the adapter belongs to
  /// @param to an empty folder
  /// @throws ModelException if the adapter changes a head that is the embedding too, or a file
  ///   cannot be read or written
  public static void write(Path base, Lora lora, Path to) {
    if (ModelShape.read(base).tiedHead() && lora.sites().containsKey("lm_head")) {
      throw new ModelException(
          "the adapter changes the head of a model whose head is its embedding: merged, it would"
              + " change both");
    }
    var weights = Safetensors.files(base);
    for (var file : weights) merge(file, lora, to.resolve(file.getFileName()));
    boolean sharded = weights.size() > 1;
    try (var files = Files.list(base)) {
      for (var file : files.filter(Files::isRegularFile).toList()) {
        var name = file.getFileName().toString();
        boolean index = name.endsWith(INDEX);
        if (index ? sharded : BESIDE.matcher(name).matches()) Files.copy(file, to.resolve(name));
      }
    } catch (IOException e) {
      throw new ModelException("cannot copy %s to %s: %s".formatted(base, to, e.getMessage()), e);
    }
  }

  private static void merge(Path from, Lora lora, Path to) {
    try (var arena = Arena.ofShared();
        var _ = new Scope();
        var _ = new NoGradGuard()) {
      var file = Safetensors.open(from, arena);
      var tensors = new LinkedHashMap<String, Tensor>();
      for (var name : file.names()) tensors.put(name, merged(name, file.tensor(name), lora));
      Safetensors.write(to, tensors, file.metadata());
    }
  }

  private static Tensor merged(String name, Tensor weight, Lora lora) {
    if (!name.endsWith(WEIGHT)) return weight;
    var site = lora.sites().get(name.substring(0, name.length() - WEIGHT.length()));
    if (site == null) return weight;
    var added = LoraPair.scaled(site).mm(site.a());
    return weight.to(Dtype.F32.scalar()).add(added).to(weight.scalar_type()).contiguous();
  }
}

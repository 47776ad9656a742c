package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Laid;
import dev.espalier.tensor.RowProduct;
import dev.espalier.tensor.Scope;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The weights of a model under their Hugging Face names, all of the shapes that its [ModelShape]
/// asks for.
///
/// Whoever made them owns them: they live outside scopes until [#close].
public final class Weights implements AutoCloseable {
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  private final SequencedMap<String, Tensor> tensors;
  private final Map<String, Tensor> joined = new HashMap<>(); // by projection and kind
  private final Map<String, Laid> laid = new HashMap<>(); // by projection

  /// Wraps tensors that were checked already.
  Weights(SequencedMap<String, Tensor> tensors) {
    this.tensors = tensors;
  }

  /// The type that most of a model folder's tensors are stored in.
  public static Dtype stored(Path folder) {
    var counts = new EnumMap<Dtype, Integer>(Dtype.class);
    for (var path : Safetensors.files(folder)) {
      var file = Safetensors.open(path);
      for (var name : file.names()) counts.merge(file.dtype(name), 1, Integer::sum);
    }
    return counts.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .orElseThrow(() -> new ModelException(folder + " has no weights"))
        .getKey();
  }

  /// Maps a model folder's weights, in the type they are stored in or cast to another.
  ///
  /// @param dtype what to compute in; those of single layers that are stored so stay memory-mapped,
  ///   others are copied once
  /// @throws ModelException if a file is broken, or a weight is missing, superfluous or of the
  ///   wrong shape
  public static Weights load(Path folder, ModelShape shape, Dtype dtype) {
    var where = new HashMap<String, Safetensors>();
    for (var file : Safetensors.files(folder)) {
      var tensors = Safetensors.open(file);
      for (var name : tensors.names()) {
        if (where.put(name, tensors) != null) {
          throw new ModelException(folder + ": " + name + " is in two shards");
        }
      }
    }
    var out = new LinkedHashMap<String, Tensor>();
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      for (var parameter : shape.parameters()) {
        @Nullable Safetensors file = where.remove(parameter.name());
        if (file == null) throw new ModelException(folder + " has no weight " + parameter.name());
        if (!Arrays.equals(file.shape(parameter.name()), parameter.shape())) {
          throw new ModelException(
              "%s: %s has shape %s, but config.json asks for %s"
                  .formatted(
                      folder,
                      parameter.name(),
                      Arrays.toString(file.shape(parameter.name())),
                      Arrays.toString(parameter.shape())));
        }
        boolean norm = parameter.name().endsWith("norm.weight"); // norms compute in float32
        var type = norm ? Dtype.F32 : dtype;
        out.put(parameter.name(), scope.keep(file.tensor(parameter.name()).to(type.scalar())));
      }
    }
    where.keySet().removeIf(Weights::isDerived);
    if (shape.tiedHead()) where.remove("lm_head.weight");
    if (!where.isEmpty()) {
      throw new ModelException(
          "%s has %d weights that its config.json does not speak of, such as %s"
              .formatted(folder, where.size(), where.keySet().iterator().next()));
    }
    return new Weights(out).join(shape);
  }

  /// Joins the weights of layers that are computed as one product; those of the single layers are
  /// parts of the joined ones from then on.
  private Weights join(ModelShape shape) {
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      for (var projection : shape.projections()) {
        if (projection.parts().size() == 1) continue;
        for (var kind : List.of(WEIGHT, BIAS)) {
          if (find(projection.name() + kind) == null) continue;
          var whole = scope.keep(cat(projection, kind));
          joined.put(projection.name() + kind, whole);
          long from = 0;
          for (var linear : projection.parts()) {
            var part = scope.keep(whole.narrow(0, from, linear.out()));
            var before = tensors.put(linear.name() + kind, part);
            if (before != null) before.close();
            from += linear.out();
          }
        }
      }
    }
    return this;
  }

  private Tensor cat(Projection projection, String kind) {
    var parts = new TensorVector();
    for (var linear : projection.parts()) parts.push_back(get(linear.name() + kind));
    return torch.cat(parts, 0);
  }

  /// The weights of a projection, (out, in).
  Tensor weight(Projection projection) {
    return of(projection, WEIGHT);
  }

  /// The biases of a projection, (out); null where it has none.
  @Nullable Tensor bias(Projection projection) {
    return find(projection.name() + BIAS) == null ? null : of(projection, BIAS);
  }

  private Tensor of(Projection projection, String kind) {
    if (projection.parts().size() == 1) return get(projection.name() + kind);
    var whole = joined.get(projection.name() + kind);
    return whole == null ? cat(projection, kind) : whole;
  }

  /// Lays out a projection's matrix.
  ///
  /// @param bytes of all matrices
  /// @param lanes whether tokens side by side are multiplied, too
  void lay(Projection projection, Tensor matrix, long bytes, boolean lanes) {
    var copies = Laid.of(matrix, bytes, lanes);
    if (copies != null) laid.put(projection.name(), copies);
  }

  /// A projection's matrix laid out, if it is; see [Decoder#layOut].
  @Nullable Laid laid(Projection projection) {
    return laid.get(projection.name());
  }

  /// The base's part of a projection.
  BaseLinear base(Projection projection) {
    return base(projection, weight(projection));
  }

  /// The same with a matrix that is named otherwise.
  BaseLinear base(Projection projection, Tensor matrix) {
    var copies = laid(projection);
    var few = copies == null ? null : new RowProduct(matrix, copies);
    return new BaseLinear(matrix, bias(projection), few);
  }

  /// Buffers that old exporters wrote although they follow from the configuration.
  private static boolean isDerived(String name) {
    return name.endsWith("rotary_emb.inv_freq");
  }

  /// Fresh random weights: matrices normal with that deviation, norms one, biases zero.
  public static Weights random(ModelShape shape, double deviation, Generator generator) {
    var out = new LinkedHashMap<String, Tensor>();
    try (var scope = new Scope()) {
      for (var parameter : shape.parameters()) {
        var tensor = torch.ones(parameter.shape(), Dtype.F32.options());
        if (parameter.shape().length == 2) {
          tensor.normal_(0, deviation, new org.bytedeco.pytorch.GeneratorOptional(generator));
        } else if (parameter.name().endsWith(".bias")) {
          tensor.zero_();
        }
        out.put(parameter.name(), scope.keep(tensor));
      }
    }
    return new Weights(out);
  }

  /// The weight of that name.
  public Tensor get(String name) {
    var tensor = tensors.get(name);
    if (tensor == null) throw new IllegalArgumentException("no weight is called " + name);
    return tensor;
  }

  /// The numbers of a vector, such as a norm's.
  float[] numbers(String name) {
    return numbers(get(name));
  }

  /// The numbers of a vector.
  static float[] numbers(Tensor vector) {
    var wide = vector.to(Dtype.F32.scalar()).contiguous();
    var out = new float[Math.toIntExact(wide.numel())];
    wide.data_ptr_float().get(out);
    return out;
  }

  /// The weight of that name, or null.
  public @Nullable Tensor find(String name) {
    return tensors.get(name);
  }

  /// All of them, in the order of [ModelShape#parameters].
  public SequencedMap<String, Tensor> all() {
    return java.util.Collections.unmodifiableSequencedMap(tensors);
  }

  /// Each weight passed through a function, such as a differentiable cast; the caller's scope owns
  /// the results.
  public Weights map(UnaryOperator<Tensor> function) {
    var out = new LinkedHashMap<String, Tensor>();
    tensors.forEach((name, tensor) -> out.put(name, function.apply(tensor)));
    return new Weights(out);
  }

  /// A float32 copy that can be trained.
  public Weights trainable() {
    try (var scope = new Scope()) {
      return map(tensor ->
          scope.keep(tensor.detach().to(Dtype.F32.scalar()).clone().set_requires_grad(true)));
    }
  }

  /// A copy of another type that is only computed with, but for the norms, which stay float32.
  public Weights cast(ModelShape shape, Dtype dtype) {
    var out = new LinkedHashMap<String, Tensor>();
    try (var scope = new Scope();
        var noGrad = new NoGradGuard()) {
      tensors.forEach((name, tensor) -> {
        var type = name.endsWith("norm.weight") ? Dtype.F32 : dtype;
        out.put(name, scope.keep(tensor.detach().clone().to(type.scalar())));
      });
    }
    return new Weights(out).join(shape);
  }

  /// Writes them as `model.safetensors` in that type.
  public void save(Path folder, Dtype dtype) {
    try (var scope = new Scope()) {
      Safetensors.write(
          folder.resolve("model.safetensors"),
          map(tensor -> tensor.detach().to(dtype.scalar()).contiguous()).tensors,
          Map.of("format", "pt"));
    }
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
    joined.values().forEach(Tensor::close);
    laid.values().forEach(Laid::close);
  }
}

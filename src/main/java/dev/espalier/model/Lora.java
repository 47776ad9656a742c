package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A LoRA adapter (arXiv 2106.09685): W' = W + scale · B·A on some linear layers.
///
/// The masters are float32 leaves that can be trained. [#cast] gives what computes: sampler and
/// trainer use the same cast.
public final class Lora implements AutoCloseable {
  /// The two matrices of one linear layer.
  ///
  /// @param a (rank, in)
  /// @param b (out, rank)
  /// @param scale alpha / rank, or alpha / √rank
  public record Site(Tensor a, Tensor b, double scale) {
    public int rank() {
      return (int) a.size(0);
    }
  }

  private final SequencedMap<String, Site> sites;

  /// @param sites by the name of the linear layer; the adapter owns the tensors, which live outside
  ///   scopes
  Lora(SequencedMap<String, Site> sites) {
    if (sites.isEmpty()) throw new ModelException("an adapter without a single layer");
    this.sites = sites;
  }

  /// An adapter of given matrices, which it owns from then on.
  public static Lora of(SequencedMap<String, Site> sites) {
    return new Lora(sites);
  }

  /// A new adapter, which changes nothing until it is trained: A uniform in ±1/√in, as PEFT has it,
  /// and B zero.
  public static Lora fresh(ModelShape shape, LoraConfig config, long seed) {
    var generator = new GeneratorOptional(torch.make_generator_cpu(seed));
    var sites = new LinkedHashMap<String, Site>();
    try (var scope = new Scope()) {
      for (var linear : shape.linears()) {
        if (!config.covers(linear)) continue;
        double bound = 1 / Math.sqrt(linear.in());
        var a = torch.empty(new long[] {config.rank(), linear.in()}, Dtype.F32.options(), null);
        a.uniform_(-bound, bound, generator);
        var b = torch.zeros(new long[] {linear.out(), config.rank()}, Dtype.F32.options());
        a.set_requires_grad(true);
        b.set_requires_grad(true);
        sites.put(
            linear.name(), new Site(scope.keep(a), scope.keep(b), config.alpha() / config.rank()));
      }
    }
    if (sites.isEmpty()) {
      throw new ModelException("no linear layer is of the kinds " + config.targets());
    }
    return new Lora(sites);
  }

  /// The matrices by the name of their linear layer.
  public SequencedMap<String, Site> sites() {
    return Collections.unmodifiableSequencedMap(sites);
  }

  /// Whether it has matrices for a projection's layer, of which there is one.
  boolean adapts(Projection projection) {
    return sites.containsKey(projection.name());
  }

  /// The masters by their PEFT names: float32 leaves.
  public SequencedMap<String, Tensor> parameters() {
    var out = new LinkedHashMap<String, Tensor>();
    sites.forEach((name, site) -> {
      out.put(name + ".lora_A.weight", site.a());
      out.put(name + ".lora_B.weight", site.b());
    });
    return out;
  }

  /// How many numbers it trains.
  public long size() {
    return parameters().values().stream().mapToLong(Tensor::numel).sum();
  }

  /// The adapter as it computes, in the type of the base; the current scope owns the casts, and
  /// gradients pass through them.
  public Adapters cast(Dtype dtype) {
    var pairs = new HashMap<String, Optional<LoraPair>>();
    return (projection, input, base) ->
        pairs
            .computeIfAbsent(
                projection.name(),
                name -> Optional.ofNullable(LoraPair.join(projection, sites, dtype)))
            .map(pair -> pair.apply(input, base))
            .orElseGet(() -> base.product(input));
  }

  /// A copy that only computes, for a model of that shape.
  public FrozenLora frozen(ModelShape shape, Dtype dtype) {
    return new FrozenLora(this, shape, dtype);
  }

  /// A copy with masters of its own, which are not trained.
  public Lora copy() {
    var copy = new LinkedHashMap<String, Site>();
    try (var scope = new Scope()) {
      sites.forEach((name, site) -> {
        var a = scope.keep(site.a().detach().clone());
        var b = scope.keep(site.b().detach().clone());
        copy.put(name, new Site(a, b, site.scale()));
      });
    }
    return new Lora(copy);
  }

  @Override
  public void close() {
    parameters().values().forEach(Tensor::close);
  }
}

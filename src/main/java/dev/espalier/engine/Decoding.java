package dev.espalier.engine;

import dev.espalier.model.Adapters;
import dev.espalier.model.FrozenLora;
import dev.espalier.model.MixedAdapters;
import dev.espalier.tensor.RowProduct;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// One decode step of the running sequences, and what is kept from one to the next because the
/// batch seldom changes. On the device's thread only.
final class Decoding implements AutoCloseable {
  private final BaseModel base;
  private final PromptCache prompts;
  private @Nullable PrefixGroups prefixes;
  private final MixedAdapters mixed;

  Decoding(BaseModel base, PromptCache prompts) {
    this.base = base;
    this.prompts = prompts;
    mixed = new MixedAdapters(base.dtype());
  }

  /// One token for each running row; row i is in slot i.
  void step(List<Generation> running) {
    boolean alone = running.size() == 1 && RowProduct.computes(base.dtype());
    var rows = alone ? running : padded(running);
    int count = rows.size();
    var tokens = new long[count];
    var positions = new long[count];
    var slot = new int[count];
    var at = new int[count];
    for (int i = 0; i < count; i++) {
      var generation = rows.get(i);
      tokens[i] = generation.last;
      positions[i] = generation.length - 1L;
      slot[i] = i < running.size() ? i : prompts.cache().scratch();
      at[i] = generation.length - 1 - generation.base();
      prompts.cache().reserve(at[i] + 1);
    }
    var whole = new TensorOptions(ScalarType.Long);
    var attention =
        new DecodeAttention(
            prompts.cache(), slot, at, prefixes(rows), base.shape().kvHeads(), base.dtype());
    var adapters = adapters(rows);
    var hidden =
        base.decoder()
            .hidden(
                base.weights(),
                torch.tensor(tokens, whole).view(-1, 1),
                torch.tensor(positions, whole).view(-1, 1),
                attention,
                adapters);
    sample(running, base.decoder().logits(base.weights(), hidden, adapters));
  }

  /// The running rows, and copies of the first up to a number that comes often: libtorch compiles
  /// its products for every size that it meets, and has none better for one row than for four.
  private static List<Generation> padded(List<Generation> running) {
    int count = running.size();
    int step = count <= 16 ? KvCache.ROWS : 2 * KvCache.ROWS;
    var rows = new ArrayList<>(running);
    while (rows.size() % step != 0) rows.add(running.getFirst());
    return rows;
  }

  /// What the rows share, kept while no other segment comes into it; null if they share nothing.
  private @Nullable PrefixGroups prefixes(List<Generation> rows) {
    var segments = new ArrayList<@Nullable Segment>();
    var distinct = new LinkedHashSet<Segment>();
    var bases = new int[rows.size()];
    for (int i = 0; i < bases.length; i++) {
      var segment = rows.get(i).segment();
      segments.add(segment);
      if (segment != null) distinct.add(segment);
      bases[i] = rows.get(i).base();
    }
    if (distinct.isEmpty()) return null;
    if (prefixes == null || !prefixes.covers(distinct)) {
      if (prefixes != null) prefixes.close();
      prefixes = new PrefixGroups(List.copyOf(distinct), base.shape());
    }
    prefixes.rows(segments, bases, base.dtype());
    return prefixes;
  }

  /// The adapters of the running rows.
  private Adapters adapters(List<Generation> generations) {
    var rows = new ArrayList<@Nullable FrozenLora>();
    for (var generation : generations) {
      var adapter = generation.adapter;
      rows.add(adapter == null ? null : adapter.lora());
    }
    var first = rows.getFirst();
    if (rows.stream().allMatch(row -> row == first)) {
      return first == null ? Adapters.NONE : first;
    }
    mixed.rows(rows);
    return mixed;
  }

  /// Draws a token for each row of (B, 1, V), whose last rows may be copies.
  void sample(List<Generation> rows, Tensor logits) {
    long size = base.format().tokenizer().size(); // padded heads have more
    var temperatures = new float[rows.size()];
    for (int i = 0; i < temperatures.length; i++) {
      temperatures[i] = rows.get(i).sampler.temperature();
    }
    var known =
        logits.squeeze(1).narrow(0, 0, rows.size()).narrow(1, 0, Math.min(size, logits.size(2)));
    var scores = new Scores(known, temperatures);
    for (int i = 0; i < temperatures.length; i++) {
      var generation = rows.get(i);
      generation.emit(generation.sampler.draw(scores, i, generation.allowed()));
    }
  }

  @Override
  public void close() {
    if (prefixes != null) prefixes.close();
    mixed.close();
  }
}

package dev.espalier.engine;

import dev.espalier.model.DecodePass;
import dev.espalier.model.FrozenLora;
import dev.espalier.model.MixedAdapters;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.Softmax;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// One decode step of the running sequences, and what is kept from one to the next because the
/// batch seldom changes. On the device's thread only.
final class Decoding implements AutoCloseable {
  private final BaseModel base;
  private final PromptCache prompts;
  private final DecodePass pass;
  private List<@Nullable FrozenLora> adapted = List.of(); // rows that the adapters are of
  private MixedAdapters adapters = new MixedAdapters(List.of());

  Decoding(BaseModel base, PromptCache prompts) {
    this.base = base;
    this.prompts = prompts;
    pass = new DecodePass(base.decoder(), base.weights(), base.dtype());
  }

  /// One token for each running row; row i is in slot i.
  void step(List<Generation> running) {
    var twins = Twins.of(running);
    var computed = twins.computed(running);
    var tokens = computed.stream().mapToInt(row -> row.last).toArray();
    var positions = computed.stream().mapToInt(row -> row.length - 1).toArray();
    for (var row : running) prompts.cache().reserve(row.length - row.base());
    var logits = pass.logits(tokens, positions, past(running, twins), adapters(computed));
    sample(running, logits, twins);
  }

  private DecodePass.Past past(List<Generation> running, Twins twins) {
    return new DecodePass.Past() {
      @Override
      public List<KeyValues> of(int layer, int computed) {
        int row = twins.sets().get(computed).getFirst();
        var generation = running.get(row);
        var segment = generation.segment();
        var own = own(layer, row);
        return segment == null ? List.of(own) : List.of(segment.at(layer, generation.base()), own);
      }

      @Override
      public List<KeyValues> copies(int layer, int computed) {
        var set = twins.sets().get(computed);
        if (set.size() == 1) return List.of();
        return set.stream().skip(1).map(row -> own(layer, row)).toList();
      }

      private KeyValues own(int layer, int row) {
        var generation = running.get(row);
        return prompts.cache().at(layer, row, generation.length - generation.base());
      }
    };
  }

  /// The adapters of the running rows.
  private MixedAdapters adapters(List<Generation> generations) {
    var rows = rows(generations);
    if (!rows.equals(adapted)) {
      adapted = rows;
      adapters = new MixedAdapters(rows);
    }
    return adapters;
  }

  /// The adapter of each; null is the base alone.
  static List<@Nullable FrozenLora> rows(List<Generation> generations) {
    var rows = new ArrayList<@Nullable FrozenLora>();
    for (var generation : generations) {
      var adapter = generation.adapter;
      rows.add(adapter == null ? null : adapter.lora());
    }
    return rows;
  }

  /// Draws the first token of each prompt, from (B, V).
  void sample(List<Generation> started, Tensor logits) {
    sample(started, logits, Twins.none(started.size()));
  }

  /// Draws a token for each row, from those that were computed, (B, V).
  private void sample(List<Generation> rows, Tensor logits, Twins twins) {
    long size = base.format().tokenizer().size(); // padded heads have more
    var computed = twins.computed(rows);
    var temperatures = new float[computed.size()];
    for (int i = 0; i < temperatures.length; i++) {
      temperatures[i] = computed.get(i).sampler.temperature();
    }
    int known = (int) Math.min(size, logits.size(1));
    var probabilities = Softmax.of(logits, known, temperatures);
    for (int i = 0; i < temperatures.length; i++) {
      for (int row : twins.sets().get(i)) {
        var generation = rows.get(row);
        generation.emit(generation.sampler.draw(probabilities[i], generation.allowed()));
      }
    }
  }

  @Override
  public void close() {
    pass.close();
  }
}

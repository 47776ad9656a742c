package dev.espalier.engine;

import dev.espalier.model.Adapters;
import dev.espalier.model.Attention;
import dev.espalier.model.PackedAttention;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// Prompts for one adapter that are computed in one pass, back to back in one row.
///
/// Each prompt goes on from the longest start that some slot of the cache holds, that of an earlier
/// prompt of the same pass too; its keys and values end up in a slot of its own.
final class Prefill implements Attention {
  /// A pass that has this many tokens takes no more prompts, so that running streams wait no
  /// longer.
  private static final int ENOUGH = 1024;

  private record Part(Generation generation, int slot, Residents.Start start) {
    int rest() {
      return generation.prompt.length - start.length();
    }
  }

  private final KvCache cache;
  private final Residents residents;
  private final List<Part> parts = new ArrayList<>();
  private final PackedAttention causal = PackedAttention.causal();
  private int tokens;

  Prefill(KvCache cache, Residents residents) {
    this.cache = cache;
    this.residents = residents;
  }

  /// Adds a prompt, to be held by a slot.
  void add(Generation generation, int slot) {
    var start = residents.longest(generation.prompt, generation.adapter);
    residents.put(slot, generation.prompt, generation.adapter);
    var part = new Part(generation, slot, start);
    parts.add(part);
    tokens += part.rest();
  }

  /// Whether a prompt may be computed in the same pass.
  boolean takes(Generation generation) {
    return parts.isEmpty() || (tokens < ENOUGH && Objects.equals(generation.adapter, adapter()));
  }

  List<Generation> generations() {
    return parts.stream().map(Part::generation).toList();
  }

  private @Nullable Adapter adapter() {
    return parts.getFirst().generation().adapter;
  }

  /// Computes them.
  ///
  /// @return scores of the token after each prompt, (prompts, 1, vocabulary)
  Tensor run(BaseModel base) {
    var ids = new long[tokens];
    var positions = new long[tokens];
    var ends = new long[parts.size()];
    int t = 0;
    for (int i = 0; i < ends.length; i++) {
      var prompt = parts.get(i).generation().prompt;
      cache.reserve(prompt.length + 1);
      for (int at = parts.get(i).start().length(); at < prompt.length; at++, t++) {
        ids[t] = prompt[at];
        positions[t] = at;
      }
      ends[i] = t - 1L;
    }
    var whole = new TensorOptions(ScalarType.Long);
    var adapter = adapter();
    var adapters = adapter == null ? Adapters.NONE : adapter.lora().cast(base.dtype());
    var hidden =
        base.decoder()
            .hidden(
                base.weights(),
                torch.tensor(ids, whole).view(1, -1),
                torch.tensor(positions, whole).view(1, -1),
                this,
                adapters);
    var last = hidden.index_select(1, torch.tensor(ends, whole)).transpose(0, 1);
    return base.decoder().logits(base.weights(), last, adapters);
  }

  /// Forgets the prompts, whose slots hold half of them.
  void failed() {
    for (var part : parts) residents.remove(part.slot());
  }

  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    var mixed = new TensorVector();
    long from = 0;
    for (var part : parts) {
      int slot = part.slot();
      var start = part.start();
      long rest = part.rest();
      if (start.slot() != slot) cache.copy(layer, start.slot(), slot, start.length());
      var ownKeys = key.narrow(2, from, rest);
      var ownValues = value.narrow(2, from, rest);
      cache.fill(layer, slot, start.length(), ownKeys, ownValues);
      boolean whole = start.length() == 0;
      int length = part.generation().prompt.length;
      mixed.push_back(
          causal.attend(
              layer,
              query.narrow(2, from, rest),
              whole ? ownKeys : cache.keysOf(layer, slot, length),
              whole ? ownValues : cache.valuesOf(layer, slot, length)));
      from += rest;
    }
    return torch.cat(mixed, 1);
  }
}

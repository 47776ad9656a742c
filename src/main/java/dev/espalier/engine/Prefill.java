package dev.espalier.engine;

import static java.util.stream.Collectors.groupingBy;

import dev.espalier.engine.Residents.Resident;
import dev.espalier.model.FrozenLora;
import dev.espalier.model.KeptAttention;
import dev.espalier.model.MixedAdapters;
import dev.espalier.model.PackedAdapters;
import dev.espalier.model.PackedAttention;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// Prompts that are computed in one pass, back to back in one row, whichever adapters they are for.
///
/// A prompt goes on from whatever is there already: from a conversation that some slot holds, or
/// from a segment, which is made here where prompts of the pass start alike. On the device's thread
/// only.
final class Prefill implements KeptAttention {
  private static final int WORTH = 64; // a shorter start is not worth keeping apart
  private static final int FEW = 4; // tokens, each of which is faster by itself

  /// Tokens that are computed.
  ///
  /// @param adapter that computes them; null for the base alone
  /// @param into where keys and values go: a new segment, or else the slot
  /// @param segment whose first `base` tokens it goes on from: a slot refers to them, a segment
  ///   copies them
  /// @param from the first token to compute
  /// @param to the end of what is computed
  /// @param copied the slot, of this pass too, whose positions from `base` to `from` are copied to
  ///   this one; its own where nothing is
  private record Part(
      @Nullable Adapter adapter,
      int[] tokens,
      @Nullable Segment into,
      @Nullable Segment segment,
      int base,
      int slot,
      int from,
      int to,
      int copied) {}

  private final PromptCache prompts;
  private final int longest;
  private final List<Part> parts = new ArrayList<>();
  private final List<Generation> started = new ArrayList<>();
  private final List<Segment> made = new ArrayList<>();
  private final PackedAttention causal = PackedAttention.causal();
  private int first; // slot that the next prompt gets
  private int tokens;

  /// @param first the first free slot
  /// @param longest how many tokens of one prompt are computed at most
  Prefill(PromptCache prompts, int first, int longest) {
    this.prompts = prompts;
    this.first = first;
    this.longest = longest;
  }

  /// Adds prompts, each to be held by the next slot.
  ///
  /// @return how many will be whole after this pass; the others must be added again
  int add(List<Generation> generations) {
    int[] shared = shared(generations);
    int free = first;
    for (int i = 0; i < shared.length; i++) {
      var generation = generations.get(i);
      if (!add(generation, shared[i], free, first)) break;
      started.add(generation);
      first++;
    }
    return started.size();
  }

  /// How many tokens each prompt has in common with others for its adapter.
  private static int[] shared(List<Generation> generations) {
    var shared = new int[generations.size()];
    var byAdapter =
        IntStream.range(0, shared.length)
            .boxed()
            .collect(groupingBy(i -> Optional.ofNullable(generations.get(i).adapter)));
    for (var numbers : byAdapter.values()) {
      var ids = numbers.stream().map(i -> generations.get(i).prompt).toList();
      var most = ids.stream().mapToInt(it -> it.length - 1).toArray(); // one is left to compute
      for (var run : SharedStarts.of(ids, most, WORTH)) {
        for (int each : run.sequences()) shared[numbers.get(each)] = run.length();
      }
    }
    return shared;
  }

  /// @param shared tokens that it has in common with others of the pass
  /// @param free the first slot that was free before the pass
  private boolean add(Generation generation, int shared, int free, int slot) {
    var prompt = generation.prompt;
    var adapter = generation.adapter;
    int most = prompt.length - 1; // one token is left to compute
    var segment = prompts.segments().longest(prompt, adapter);
    int base = segment == null ? 0 : Math.min(most, segment.shared(prompt, adapter));
    var start = prompts.residents().longest(prompt, adapter, base);
    boolean goesOn = start != null && start.goesOn() && start.length() <= most;
    if (segment != null && start != null && !goesOn && start.resident().segment() != segment) {
      // a copy of what the segment holds would be made, for few tokens more or none
      if (Math.min(most, start.length()) - base < WORTH) start = null;
    }
    if (start != null && !goesOn && isThere(start.slot(), free, slot)) {
      shared = Math.max(shared, start.length()); // others will start so, too
    }
    shared = Math.min(shared, most);
    if (!goesOn && shared - base >= WORTH) {
      segment = make(Arrays.copyOf(prompt, shared), adapter, segment, base, start, free, slot);
      base = segment.length();
      start = null;
    }
    int from = base;
    int copied = slot;
    if (start == null) {
      prompts.spare(slot);
    } else {
      var resident = start.resident();
      segment = resident.segment();
      base = resident.base();
      from = Math.min(most, start.length());
      if (!isThere(start.slot(), free, slot)) copied = start.slot();
      else if (start.slot() > slot && goesOn) prompts.swap(start.slot(), slot, 0);
      else if (start.slot() != slot) prompts.cache().copy(start.slot(), slot, from - base);
    }
    if (base == 0) segment = null;
    int to = from + Math.min(prompt.length - from, longest);
    prompts.cache().reserve(prompt.length + 1 - base);
    parts.add(new Part(adapter, prompt, null, segment, base, slot, from, to, copied));
    prompts
        .residents()
        .put(slot, new Resident(Arrays.copyOf(prompt, to), to, adapter, segment, base));
    tokens += to - from;
    generation.goesOnFrom(segment, base);
    return to == prompt.length;
  }

  /// Whether a slot's content was computed before this pass.
  private static boolean isThere(int slot, int free, int next) {
    return slot < free || slot >= next;
  }

  /// A new segment, which goes on from the longest start that is there.
  private Segment make(
      int[] start,
      @Nullable Adapter adapter,
      @Nullable Segment segment,
      int base,
      Residents.@Nullable Start resident,
      int free,
      int slot) {
    var cache = prompts.cache();
    var made = prompts.segment(start, adapter);
    int from = base;
    if (resident != null && isThere(resident.slot(), free, slot)) {
      var held = resident.resident();
      from = Math.min(resident.length(), start.length);
      for (int layer = 0; layer < prompts.shape().layers(); layer++) {
        made.fill(
            layer,
            0,
            cache.keysOf(layer, held.segment(), held.base(), resident.slot(), from),
            cache.valuesOf(layer, held.segment(), held.base(), resident.slot(), from));
      }
      segment = null;
    }
    this.made.add(made);
    if (from < start.length) {
      parts.add(new Part(adapter, start, made, segment, base, -1, from, start.length, -1));
      tokens += start.length - from;
    }
    return made;
  }

  /// The prompts that are whole after this pass.
  List<Generation> started() {
    return started;
  }

  /// Computes them.
  ///
  /// @return scores of the token after each whole prompt, (prompts, vocabulary)
  Tensor run(BaseModel base) {
    var ids = new long[tokens];
    var positions = new long[tokens];
    var ends = new int[started.size()];
    int t = 0;
    int whole = 0;
    for (var part : parts) {
      for (int at = part.from(); at < part.to(); at++, t++) {
        ids[t] = part.tokens()[at];
        positions[t] = at;
      }
      if (part.into() == null && whole < ends.length) ends[whole++] = t - 1;
    }
    var options = new TensorOptions(ScalarType.Long);
    var hidden =
        base.decoder()
            .hidden(
                base.weights(),
                torch.tensor(ids, options).view(1, -1),
                torch.tensor(positions, options).view(1, -1),
                this,
                adapters(),
                ends);
    return base.decoder()
        .logits(base.weights(), hidden.squeeze(0), new MixedAdapters(Decoding.rows(started)));
  }

  /// The adapters of the row's tokens.
  private PackedAdapters adapters() {
    var counts = parts.stream().mapToInt(part -> part.to() - part.from()).toArray();
    var each = new ArrayList<@Nullable FrozenLora>();
    for (var part : parts) each.add(part.adapter() == null ? null : part.adapter().lora());
    return PackedAdapters.of(counts, each);
  }

  /// Forgets the prompts, whose slots and segments hold half of them.
  void failed() {
    for (var part : parts) if (part.into() == null) prompts.residents().remove(part.slot());
    prompts.remove(made);
  }

  @Override
  public List<Piece> pieces() {
    return parts.stream().map(part -> new Piece(part.to() - part.from(), before(part))).toList();
  }

  /// How much a part goes on from: of a segment, and of a slot.
  private static List<Integer> before(Part part) {
    if (part.into() != null) return part.from() == 0 ? List.of() : List.of(part.from());
    return Stream.of(part.base(), part.from() - part.base()).filter(count -> count > 0).toList();
  }

  @Override
  public void keep(int layer, Tensor key, Tensor value) {
    var cache = prompts.cache();
    long at = 0;
    for (var part : parts) {
      int count = part.to() - part.from();
      var keys = key.narrow(2, at, count).squeeze(0);
      var values = value.narrow(2, at, count).squeeze(0);
      at += count;
      var into = part.into();
      if (into != null) {
        var origin = part.segment();
        if (origin != null) {
          int base = part.base();
          into.fill(layer, 0, origin.keys(layer, base), origin.values(layer, base));
        }
        into.fill(layer, part.from(), keys, values);
      } else {
        int slot = part.slot();
        int from = part.from() - part.base();
        if (part.copied() != slot) cache.copy(layer, part.copied(), slot, from);
        cache.fill(layer, slot, from, keys, values);
      }
    }
  }

  @Override
  public List<Kept> before(int layer, int piece) {
    var part = parts.get(piece);
    var into = part.into();
    int from = part.from();
    if (into != null) {
      if (from == 0) return List.of();
      return List.of(new Kept(into.keys(layer, from), into.values(layer, from)));
    }
    var out = new ArrayList<Kept>();
    var segment = part.segment();
    int base = part.base();
    if (segment != null) out.add(new Kept(segment.keys(layer, base), segment.values(layer, base)));
    if (from > base) {
      var cache = prompts.cache();
      int slot = part.slot();
      out.add(
          new Kept(cache.keys(layer, slot, from - base), cache.values(layer, slot, from - base)));
    }
    return out;
  }

  @Override
  public Tensor attend(int layer, Tensor query, Tensor key, Tensor value) {
    keep(layer, key, value);
    long[] size = {1, tokens, query.size(1) * query.size(3)};
    var mixed = torch.empty(size, Dtype.of(query).options(), null);
    var single = new TokenAttention(prompts.shape(), new Rows(Dtype.of(query)));
    int at = 0;
    for (int i = 0; i < parts.size(); i++) {
      var part = parts.get(i);
      int count = part.to() - part.from();
      for (int t = 0; t < count && count <= FEW; t++) {
        single.add(at + t, sees(layer, part, part.from() + t + 1));
      }
      if (count > FEW) mixed.narrow(1, at, count).copy_(whole(layer, i, at, query, key, value));
      at += count;
    }
    single.attend(query, mixed);
    return mixed;
  }

  /// What a part's token sees, where it is kept.
  ///
  /// @param length of what it sees
  private List<KeyValues> sees(int layer, Part part, int length) {
    if (part.into() != null) return List.of(part.into().at(layer, length));
    var own = prompts.cache().at(layer, part.slot(), length - part.base());
    var segment = part.segment();
    return segment == null ? List.of(own) : List.of(segment.at(layer, part.base()), own);
  }

  /// The attention of a part whose tokens are many.
  ///
  /// @param at the first of the row's
  private Tensor whole(int layer, int part, int at, Tensor query, Tensor key, Tensor value) {
    long count = (long) parts.get(part).to() - parts.get(part).from();
    var keys = new TensorVector();
    var values = new TensorVector();
    for (var kept : before(layer, part)) {
      keys.push_back(kept.keys());
      values.push_back(kept.values());
    }
    keys.push_back(key.narrow(2, at, count).squeeze(0));
    values.push_back(value.narrow(2, at, count).squeeze(0));
    return causal.attend(
        layer,
        query.narrow(2, at, count),
        torch.cat(keys, 1).unsqueeze(0),
        torch.cat(values, 1).unsqueeze(0));
  }
}

package dev.espalier.grammar;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.espalier.chat.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/// The tokens of a model as the bytes they stand for, arranged by their beginnings.
///
/// Special tokens are none of them. Tokens that can stand anywhere inside a JSON string, which are
/// most, are kept apart: where any of these may stand they all may.
final class Vocabulary {
  /// The children of a node are a row of `bytes` and `nodes`, from `begins[node]` to `begins[node +
  /// 1]`; the tokens that end there a row of `tokens` likewise.
  record Trie(int[] begins, byte[] bytes, int[] nodes, int[] ends, int[] tokens) {}

  private record Spelled(byte[] bytes, int id) {}

  private final int size;
  private final int longest;
  private final int[] stops;
  private final long[] plain;
  private final Trie plainTrie;
  private final Trie others;
  private final byte[][] spelled;

  /// @param stops the tokens that end a text
  /// @param markers texts of tokens that are special here whether or not the tokenizer says so
  Vocabulary(Tokenizer tokenizer, Set<Integer> stops, List<String> markers) {
    size = tokenizer.size();
    this.stops = stops.stream().mapToInt(it -> it).sorted().toArray();
    spelled = new byte[size][];
    var special = new BitSet();
    for (var texts : List.of(tokenizer.specials(), markers)) {
      for (var text : texts) {
        var id = tokenizer.id(text);
        if (id != null) special.set(id);
      }
    }
    var plainTokens = new ArrayList<Spelled>();
    var otherTokens = new ArrayList<Spelled>();
    plain = new long[(size + 63) / 64];
    int most = 0;
    for (int id = 0; id < size; id++) {
      var bytes = special.get(id) || stops.contains(id) ? new byte[0] : tokenizer.bytes(id);
      spelled[id] = bytes;
      if (bytes.length == 0) continue;
      most = Math.max(most, bytes.length);
      boolean anywhere = isPlain(bytes);
      (anywhere ? plainTokens : otherTokens).add(new Spelled(bytes, id));
      if (anywhere) plain[id >> 6] |= 1L << id;
    }
    longest = most;
    plainTrie = trie(plainTokens);
    others = trie(otherTokens);
  }

  /// Whole characters that a JSON string may have as they are.
  private static boolean isPlain(byte[] bytes) {
    var text = new String(bytes, UTF_8);
    if (text.indexOf('\uFFFD') >= 0) return false;
    return text.chars().allMatch(c -> c >= ' ' && c != '"' && c != '\\');
  }

  private static Trie trie(List<Spelled> tokens) {
    tokens.sort((x, y) -> Arrays.compareUnsigned(x.bytes(), y.bytes()));
    return new Builder(tokens).build();
  }

  /// Numbers nodes so that the children of each are together.
  private static final class Builder {
    private final List<Spelled> tokens;
    private final List<int[]> ranges = new ArrayList<>(); // of each node: first token, end, depth

    Builder(List<Spelled> tokens) {
      this.tokens = tokens;
    }

    Trie build() {
      var begins = new ArrayList<Integer>();
      var bytes = new ByteArrayOutputStream();
      var nodes = new ArrayList<Integer>();
      var ends = new ArrayList<Integer>();
      var ids = new ArrayList<Integer>();
      ranges.add(new int[] {0, tokens.size(), 0});
      for (int node = 0; node < ranges.size(); node++) {
        begins.add(nodes.size());
        ends.add(ids.size());
        int at = ranges.get(node)[0];
        int end = ranges.get(node)[1];
        int depth = ranges.get(node)[2];
        for (; at < end && tokens.get(at).bytes().length == depth; at++) {
          ids.add(tokens.get(at).id());
        }
        while (at < end) {
          byte next = tokens.get(at).bytes()[depth];
          int from = at;
          while (at < end && tokens.get(at).bytes()[depth] == next) at++;
          bytes.write(next);
          nodes.add(ranges.size());
          ranges.add(new int[] {from, at, depth + 1});
        }
      }
      begins.add(nodes.size());
      ends.add(ids.size());
      return new Trie(ints(begins), bytes.toByteArray(), ints(nodes), ints(ends), ints(ids));
    }

    private static int[] ints(List<Integer> list) {
      return list.stream().mapToInt(it -> it).toArray();
    }
  }

  /// How many ids there are.
  int size() {
    return size;
  }

  /// The bytes of the longest token.
  int longest() {
    return longest;
  }

  int[] stops() {
    return stops;
  }

  /// The tokens that can stand anywhere inside a JSON string, a bit each.
  long[] plain() {
    return plain;
  }

  Trie plainTrie() {
    return plainTrie;
  }

  /// Those that cannot.
  Trie others() {
    return others;
  }

  /// The bytes of a token; none for a special one.
  byte[] bytes(int id) {
    return spelled[id];
  }
}

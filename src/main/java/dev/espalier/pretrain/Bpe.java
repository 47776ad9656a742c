package dev.espalier.pretrain;

import dev.espalier.pretrain.Vocabulary.Merge;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Trains a byte-level BPE vocabulary (Sennrich et al., arXiv 1508.07909).
///
/// Counts distinct words once and merges the most frequent pair until the vocabulary is full. A
/// heap holds the pairs; an entry whose count has since fallen is put back when it comes up. The
/// result depends on the multiset of texts only, not on their order: ties go to the lower ids.
public final class Bpe {
  private static final int RAREST = 2; // a pair seen once teaches nothing

  /// A distinct word: its tokens so far and how often it occurs.
  private static final class Word {
    final long count;
    int[] ids;

    Word(int[] ids, long count) {
      this.ids = ids;
      this.count = count;
    }
  }

  /// How often a pair occurs in all, and the words that may hold it.
  private static final class Occurrences {
    long count;
    final List<Word> words = new ArrayList<>();
  }

  private record Candidate(Merge pair, long count) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      if (count != other.count) return Long.compare(other.count, count);
      if (pair.left() != other.pair.left()) {
        return Integer.compare(pair.left(), other.pair.left());
      }
      return Integer.compare(pair.right(), other.pair.right());
    }
  }

  private final Map<Merge, Occurrences> pairs = new HashMap<>();
  private final PriorityQueue<Candidate> heap = new PriorityQueue<>();

  private Bpe() {}

  /// Learns a vocabulary from texts.
  ///
  /// @param texts what to learn from; special tokens in them only end words
  /// @param size how many ids to reach; fewer if the texts have no more repeated pairs
  /// @param specials special tokens, which get the first ids
  /// @throws IllegalArgumentException if `size` has no room for the specials and the 256 bytes
  public static Vocabulary train(Stream<String> texts, int size, List<String> specials) {
    int room = size - specials.size() - 256;
    if (room < 0) {
      throw new IllegalArgumentException(
          "a vocabulary of %d cannot hold %d special tokens and 256 bytes"
              .formatted(size, specials.size()));
    }
    var merges = new Bpe().learn(count(texts, specials), specials.size(), room);
    return new Vocabulary(specials, merges);
  }

  private static Map<String, Long> count(Stream<String> texts, List<String> specials) {
    var marker =
        Pattern.compile(
            specials.isEmpty()
                ? "(?!)"
                : specials.stream().map(Pattern::quote).collect(Collectors.joining("|")));
    var cuts = Pattern.compile(Vocabulary.CUTS, Pattern.UNICODE_CHARACTER_CLASS);
    var words = new HashMap<String, Long>();
    texts
        .flatMap(marker::splitAsStream)
        .forEach(text -> {
          var word = cuts.matcher(text);
          while (word.find()) words.merge(word.group(), 1L, Long::sum);
        });
    return words;
  }

  private List<Merge> learn(Map<String, Long> words, int firstByte, int room) {
    words.forEach((text, count) -> add(new Word(bytes(text, firstByte), count)));
    pairs.forEach((pair, found) -> offer(pair, found.count));
    var merges = new ArrayList<Merge>();
    while (merges.size() < room && !heap.isEmpty()) {
      var best = heap.poll();
      var found = pairs.get(best.pair());
      if (found == null) continue;
      if (found.count != best.count()) {
        offer(best.pair(), found.count);
        continue;
      }
      pairs.remove(best.pair());
      int id = firstByte + 256 + merges.size();
      merges.add(best.pair());
      replace(best.pair(), id, found.words);
    }
    return merges;
  }

  private static int[] bytes(String text, int firstByte) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) ids[i] = firstByte + (bytes[i] & 0xFF);
    return ids;
  }

  private void add(Word word) {
    for (int i = 0; i + 1 < word.ids.length; i++) {
      var found =
          pairs.computeIfAbsent(new Merge(word.ids[i], word.ids[i + 1]), pair -> new Occurrences());
      found.count += word.count;
      found.words.add(word);
    }
  }

  private void offer(Merge pair, long count) {
    if (count >= RAREST) heap.add(new Candidate(pair, count));
  }

  /// Writes `id` for the pair in each word, and counts the pairs that this makes and unmakes.
  private void replace(Merge pair, int id, List<Word> words) {
    var changes = new LinkedHashMap<Merge, Long>();
    for (var word : words) {
      int[] merged = merge(word.ids, pair, id);
      if (merged.length == word.ids.length) continue; // merged already: the word held it twice
      for (int i = 0; i + 1 < word.ids.length; i++) {
        changes.merge(new Merge(word.ids[i], word.ids[i + 1]), -word.count, Long::sum);
      }
      for (int i = 0; i + 1 < merged.length; i++) {
        var next = new Merge(merged[i], merged[i + 1]);
        changes.merge(next, word.count, Long::sum);
        if (next.left() == id || next.right() == id) {
          pairs.computeIfAbsent(next, p -> new Occurrences()).words.add(word);
        }
      }
      word.ids = merged;
    }
    changes.forEach((changed, by) -> {
      var found = pairs.get(changed);
      if (found == null || by == 0) return;
      found.count += by;
      if (found.count <= 0) pairs.remove(changed);
      if (by > 0) offer(changed, found.count);
    });
  }

  private static int[] merge(int[] ids, Merge pair, int id) {
    int[] out = new int[ids.length];
    int length = 0;
    for (int i = 0; i < ids.length; i++) {
      boolean here = ids[i] == pair.left() && i + 1 < ids.length && ids[i + 1] == pair.right();
      out[length++] = here ? id : ids[i];
      if (here) i++;
    }
    return java.util.Arrays.copyOf(out, length);
  }
}

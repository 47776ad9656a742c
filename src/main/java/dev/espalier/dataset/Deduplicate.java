package dev.espalier.dataset;

import dev.espalier.store.Example;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Removes examples that say what an earlier one said, so that no turn is learned twice and none is
/// learned and measured.
public final class Deduplicate {
  private static final Pattern NOT_WORDS = Pattern.compile("[^\\p{L}\\p{N}]+");

  private Deduplicate() {}

  /// What is left.
  ///
  /// @param duplicates examples left out whose prompt and answer another one has
  /// @param nearDuplicates examples left out that differ from another one only in case, spacing and
  ///   punctuation of texts; the arguments of expected calls always count
  public record Result(List<Example> kept, int duplicates, int nearDuplicates) {
    public Result {
      kept = List.copyOf(kept);
    }
  }

  /// Keeps the first of each, in order.
  public static Result of(List<Example> examples) {
    var digests = examples.parallelStream().map(Said::of).toList();
    var turns = new HashSet<String>();
    var wordings = new HashSet<String>();
    var kept = new ArrayList<Example>();
    int duplicates = 0;
    int nearDuplicates = 0;
    for (int i = 0; i < examples.size(); i++) {
      if (!turns.add(digests.get(i).turn())) duplicates++;
      else if (!wordings.add(digests.get(i).wording())) nearDuplicates++;
      else kept.add(examples.get(i));
    }
    return new Result(kept, duplicates, nearDuplicates);
  }

  /// Digests of an example as it is, and of its words alone.
  private record Said(String turn, String wording) {
    static Said of(Example example) {
      return new Said(Digests.of(example).turn(), Digests.of(example, Deduplicate::words).turn());
    }
  }

  private static String words(String text) {
    var folded = Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    return NOT_WORDS.matcher(folded).replaceAll(" ").strip();
  }
}

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
    var turns = new HashSet<String>();
    var wordings = new HashSet<String>();
    var kept = new ArrayList<Example>();
    int duplicates = 0;
    int nearDuplicates = 0;
    for (var example : examples) {
      if (!turns.add(Digests.of(example).turn())) duplicates++;
      else if (!wordings.add(Digests.of(example, Deduplicate::words).turn())) nearDuplicates++;
      else kept.add(example);
    }
    return new Result(kept, duplicates, nearDuplicates);
  }

  private static String words(String text) {
    var folded = Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    return NOT_WORDS.matcher(folded).replaceAll(" ").strip();
  }
}

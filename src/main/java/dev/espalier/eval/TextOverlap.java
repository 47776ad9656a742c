package dev.espalier.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// How much of one text is in another.
final class TextOverlap {
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");

  private TextOverlap() {}

  /// The harmonic mean of precision and recall over lower-case words, as SQuAD scores answers
  /// (Rajpurkar et al., 2016) but with articles kept. Two texts without words score 1.
  static double f1(String expected, String answer) {
    var wanted = words(expected);
    var given = words(answer);
    if (wanted.isEmpty() || given.isEmpty()) return wanted.isEmpty() && given.isEmpty() ? 1 : 0;
    int total = wanted.size() + given.size();
    int shared = 0;
    for (var word : given) {
      if (wanted.remove(word)) shared++;
    }
    return 2.0 * shared / total;
  }

  private static List<String> words(String text) {
    var words = new ArrayList<String>();
    var matcher = WORD.matcher(text.toLowerCase(Locale.ROOT));
    while (matcher.find()) words.add(matcher.group());
    return words;
  }
}

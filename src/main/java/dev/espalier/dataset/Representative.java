package dev.espalier.dataset;

import dev.espalier.chat.CanonicalJson;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// The few of many examples that stand best for all, where only a few may be learnt from.
///
/// Chosen one after the other, each as the one that adds most of what many say and no chosen one
/// has said yet (maximum coverage, greedily). What only one request says, a name for example,
/// counts nothing.
public final class Representative {
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");

  /// The words of an example and their pairs, apart for the question and the answer.
  private record Said(Example example, Set<String> words) {
    static Said by(Example example) {
      var words = new HashSet<String>();
      var messages = example.request().messages();
      for (int i = messages.size() - 1; i >= 0; i--) {
        var message = messages.get(i);
        if (!message.path("role").asString("").equals("user")) continue;
        collect("asked: ", message.path("content").toString(), words);
        break;
      }
      collect("answered: ", CanonicalJson.of(example.target()), words);
      return new Said(example, words);
    }

    private static void collect(String kind, String text, Set<String> words) {
      String before = "";
      var found = WORD.matcher(text.toLowerCase(Locale.ROOT));
      while (found.find()) {
        words.add(kind + found.group());
        words.add(kind + before + " " + found.group());
        before = found.group();
      }
    }
  }

  private final Map<String, Double> worth = new HashMap<>(); // of what has not been said yet

  private Representative(List<Said> all) {
    for (var said : all) for (var word : said.words()) worth.merge(word, 1.0, Double::sum);
    worth.replaceAll((word, requests) -> requests < 2 ? 0 : Math.sqrt(requests));
  }

  /// At most so many, in the order in which they were chosen.
  public static List<Example> of(List<Example> examples, int most) {
    if (most < 1) throw new IllegalArgumentException("choose at least one example, not " + most);
    var left = new ArrayList<>(examples.stream().map(Said::by).toList());
    var representative = new Representative(left);
    var chosen = new ArrayList<Example>();
    while (chosen.size() < most && !left.isEmpty()) {
      chosen.add(left.remove(representative.next(left)).example());
    }
    return chosen;
  }

  private int next(List<Said> left) {
    int best = 0;
    double most = -1;
    for (int i = 0; i < left.size(); i++) {
      double adds =
          left.get(i).words().stream().mapToDouble(word -> worth.getOrDefault(word, 0.0)).sum();
      if (adds <= most) continue;
      most = adds;
      best = i;
    }
    left.get(best).words().forEach(word -> worth.put(word, 0.0));
    return best;
  }
}

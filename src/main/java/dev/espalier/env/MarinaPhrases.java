package dev.espalier.env;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What people say, in families; a family is used by captured conversations or kept from them.
///
/// `phrases.txt` says how a phrase is written.
final class MarinaPhrases {
  /// A way of saying something, of which the base and the adapter may or may not have seen others.
  record Family(String name, boolean unseen, List<String> phrases) {}

  private static final Pattern FAMILY = Pattern.compile("\\((\\w+)( !)?\\)");
  private static final Pattern CHOICE = Pattern.compile("<([^>]*)>");
  private static final Pattern OPTION = Pattern.compile("\\[([^\\]]*)]");
  static final Pattern SLOT = Pattern.compile("\\{(\\w+)}");

  private static final Map<String, List<Family>> SECTIONS = parse();
  private static final MarinaPhrases SEEN = new MarinaPhrases(false);
  private static final MarinaPhrases UNSEEN = new MarinaPhrases(true);

  private final Map<String, List<Family>> families;

  private MarinaPhrases(boolean unseen) {
    families = new LinkedHashMap<>();
    SECTIONS.forEach((section, all) -> {
      var kept = all.stream().filter(family -> family.unseen() == unseen).toList();
      families.put(section, kept.isEmpty() ? all : kept);
    });
  }

  /// The families that captured conversations use.
  static MarinaPhrases seen() {
    return SEEN;
  }

  /// The families that none of them uses, where a section has such.
  static MarinaPhrases unseen() {
    return UNSEEN;
  }

  static Map<String, List<Family>> sections() {
    return SECTIONS;
  }

  private static Map<String, List<Family>> parse() {
    var sections = new LinkedHashMap<String, List<Family>>();
    MarinaText.sections("phrases.txt")
        .forEach((section, lines) -> {
          var families = new ArrayList<Family>();
          for (var line : lines) {
            var head = FAMILY.matcher(line);
            if (head.matches()) {
              families.add(new Family(head.group(1), head.group(2) != null, new ArrayList<>()));
            } else {
              families.getLast().phrases().add(line);
            }
          }
          sections.put(section, List.copyOf(families));
        });
    return sections;
  }

  /// A phrase of a section with its choices made and its slots still open.
  String any(String section, Draw draw) {
    var all = Objects.requireNonNull(families.get(section), section);
    int pick = draw.below(all.stream().mapToInt(family -> family.phrases().size()).sum());
    for (var family : all) {
      if (pick < family.phrases().size()) return choose(family.phrases().get(pick), draw);
      pick -= family.phrases().size();
    }
    throw new IllegalStateException("no phrase for " + section);
  }

  boolean has(String section) {
    return families.containsKey(section);
  }

  private static String choose(String phrase, Draw draw) {
    return CHOICE
        .matcher(phrase)
        .replaceAll(
            choice -> Matcher.quoteReplacement(draw.pick(List.of(choice.group(1).split("\\|")))));
  }

  /// The slots that a phrase can do without.
  static List<String> optional(String phrase) {
    var slots = new ArrayList<String>();
    OPTION
        .matcher(phrase)
        .results()
        .flatMap(option -> SLOT.matcher(option.group(1)).results())
        .forEach(slot -> slots.add(slot.group(1)));
    if (phrase.contains("{amount}")) slots.addAll(List.of("fuel", "litres"));
    return slots;
  }

  /// The phrase with its options kept where every slot in them is said, and dropped otherwise.
  static String keep(String phrase, Set<String> said) {
    return OPTION
        .matcher(phrase)
        .replaceAll(option -> {
          var slots =
              SLOT.matcher(option.group(1))
                  .results()
                  .map(slot -> slot.group(1))
                  .collect(Collectors.toSet());
          return said.containsAll(slots) ? Matcher.quoteReplacement(option.group(1)) : "";
        });
  }
}

package dev.espalier.pretrain;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One person's way of writing: how they ask for something and give values, and how careful they
/// are with capitals and keys.
final class Wording {
  private final Phrases phrases;
  private final Dice dice;
  private final @Nullable LocalDate today;
  private final boolean proper;
  private final boolean lower;
  private final boolean careless;
  private final Set<String> said = new HashSet<>();

  /// @param proper whether titles have capitals in calls however they are typed
  Wording(Phrases phrases, @Nullable LocalDate today, boolean proper, Dice dice) {
    this.phrases = phrases;
    this.today = today;
    this.proper = proper;
    this.dice = dice;
    this.lower = dice.chance(0.12);
    this.careless = dice.chance(0.12);
  }

  /// Whether this person writes everything in lower case.
  boolean lower() {
    return lower;
  }

  /// What this person would type for the text.
  String typed(String text) {
    var out =
        text.replaceAll(
            "\\b(?:on|On|for|For|at) (today|tomorrow|the day after|in \\d|in [a-z]+ days)", "$1");
    if (careless) out = Typos.in(out, 0.08, said, dice);
    return lower ? out.toLowerCase(Locale.ROOT) : out;
  }

  String value(Slot slot, Object value) {
    var text = Speech.say(slot, value, today, dice);
    boolean name = slot.kind() == Kind.PERSON || (proper && slot.kind() == Kind.TITLE);
    if (name && dice.chance(0.15)) text = text.toLowerCase(Locale.ROOT);
    said.addAll(List.of(text.toLowerCase(Locale.ROOT).split("[^a-z]+")));
    return text;
  }

  /// A request with some of its values.
  ///
  /// @param rival whether only the verb tells the tool from another
  /// @param drawn a value of the slot that is not meant, for people who correct themselves
  String request(
      Skill skill, boolean rival, Map<Slot, Object> given, Function<Slot, Object> drawn) {
    var section = skill.verb().family().name().toLowerCase(Locale.ROOT);
    var verb = dice.pick(skill.verb().said());
    var intent = phrases.template(section, dice);
    while (rival && !intent.contains("{verb}") && !intent.contains("{done}")) {
      intent = phrases.template(section, dice);
    }
    var opening =
        Phrases.fill(
            intent,
            dice,
            "verb",
            verb,
            "noun",
            skill.noun(),
            "a",
            skill.aNoun(),
            "done",
            skill.verb().done());
    return with(opening, skill, given, drawn);
  }

  /// An opening with values attached to it or in sentences after it.
  String with(String opening, Skill skill, Map<Slot, Object> given, Function<Slot, Object> drawn) {
    var order =
        dice.chance(0.5) ? dice.shuffled(List.copyOf(given.keySet())) : List.copyOf(given.keySet());
    int style = dice.below(20);
    if (style < 2 && !given.isEmpty()) return form(opening, order, given);
    var attached = new StringBuilder();
    var sentences = new ArrayList<String>();
    for (var slot : order) {
      var way = way(slot, skill, Boolean.TRUE.equals(given.get(slot)));
      var text = given(way, slot, given.get(slot), drawn);
      if (sentence(way)) sentences.add((way.startsWith("{v}") ? text : Words.capital(text)) + ".");
      else
        attached
            .append(
                way.startsWith("{v}")
                    ? ", "
                    : attached.isEmpty() ? " " : dice.oneOf(", ", " ", " ", " and "))
            .append(text);
    }
    var request = Words.capital(opening) + attached;
    var end = request.matches("(?s)(?:[Cc]an|[Cc]ould|[Ww]ould|Is|Do|What|Where) .*") ? "?" : ".";
    var out = new ArrayList<String>();
    if (dice.chance(0.18)) out.add(phrases.say("greet", dice));
    if (dice.chance(0.07)) out.add(phrases.say("aside", dice));
    if (dice.chance(0.1) && !sentences.isEmpty()) {
      out.addAll(sentences);
      out.add(request + end);
    } else {
      out.add(request + end);
      out.addAll(sentences);
    }
    if (dice.chance(0.07)) out.add(phrases.say("aside", dice));
    if (dice.chance(0.12)) out.add(Words.capital(phrases.say("please", dice)));
    var all = String.join(" ", out);
    return dice.chance(0.25) && all.endsWith(".") ? all.substring(0, all.length() - 1) : all;
  }

  private static boolean sentence(String way) {
    return Character.isUpperCase(way.charAt(0))
        || way.matches("\\{(?:Label|v)\\} (?:is|should|takes|would|too).*|\\{Label\\}.*");
  }

  private String form(String opening, List<Slot> order, Map<Slot, Object> given) {
    var lines = new ArrayList<String>();
    for (var slot : order) {
      lines.add(slot.label() + dice.oneOf(": ", ": ", " = ", " ") + plain(slot, given.get(slot)));
    }
    return Words.capital(opening)
        + dice.oneOf(":\n", ". ", ": ", "\n")
        + String.join(dice.oneOf("\n", ", ", "; "), lines);
  }

  private String plain(Slot slot, @Nullable Object value) {
    if (value == null) return "";
    if (slot.kind() == Kind.FLAG) return (Boolean) value ? "yes" : "no";
    return value(slot, value);
  }

  private String given(
      String way, Slot slot, @Nullable Object value, Function<Slot, Object> drawn) {
    if (value == null) return "";
    if (slot.kind() == Kind.FLAG) return Phrases.fill(way, dice, "label", slot.label());
    var text = value(slot, value);
    if (dice.chance(0.07) && slot.kind() != Kind.TEXT) {
      var other = drawn.apply(slot);
      if (!other.equals(value)) {
        text = phrases.say("slip", dice, "old", value(slot, other), "v", text);
      }
    }
    return Phrases.fill(way, dice, "v", text, "label", slot.label(), "unit", slot.unit());
  }

  /// A way of giving the slot's value that cannot be taken for that of another slot of the tool.
  private String way(Slot slot, Skill skill, boolean yes) {
    if (slot.kind() == Kind.FLAG) return phrases.template(yes ? "yes-flag" : "no-flag", dice);
    boolean ambiguous =
        skill.slots().stream()
            .anyMatch(
                other -> !other.name().equals(slot.name()) && other.kind().alike(slot.kind()));
    if (slot.ways().isEmpty() || ambiguous || dice.chance(0.3)) {
      return phrases.template(dice.chance(0.5) ? "generic" : "clause", dice);
    }
    return dice.pick(slot.ways());
  }

  /// The answer to a question for that slot.
  String answer(Slot slot, Object value) {
    if (slot.kind() == Kind.FLAG) {
      return phrases.say(
          (Boolean) value ? "answer-flag-yes" : "answer-flag-no", dice, "label", slot.label());
    }
    return phrases.say("answer", dice, "v", value(slot, value), "label", slot.label());
  }

  /// A sentence that gives the value by its label.
  String sentence(Slot slot, @Nullable Object value) {
    if (slot.kind() == Kind.FLAG) {
      var section = Boolean.TRUE.equals(value) ? "yes-flag" : "no-flag";
      return Words.capital(phrases.say(section, dice, "label", slot.label())) + ".";
    }
    return phrases.say("clause", dice, "v", plain(slot, value), "label", slot.label()) + ".";
  }

  /// The answer to a question for two slots.
  String answer(Slot slot, Object value, Slot other, Object second) {
    boolean bare = !slot.kind().alike(other.kind());
    var phrase = phrases.template("answer-two", dice);
    while (!bare && !phrase.contains("abel}")) phrase = phrases.template("answer-two", dice);
    return Phrases.fill(
        phrase,
        dice,
        "v",
        plain(slot, value),
        "w",
        plain(other, second),
        "label",
        slot.label(),
        "other",
        other.label());
  }

  /// A change of mind, or of what was understood.
  ///
  /// @param ambiguous whether the label must be said
  String correction(Slot slot, Object old, Object value, boolean ambiguous) {
    if (slot.kind() == Kind.FLAG) {
      return ((Boolean) value ? "No, with " : "No, without ") + slot.label() + ".";
    }
    var said = value(slot, value);
    var was = value(slot, old);
    while (true) {
      var text = phrases.say("correct", dice, "v", said, "old", was, "label", slot.label());
      if (!ambiguous || text.toLowerCase(Locale.ROOT).contains(slot.label())) return text;
    }
  }
}

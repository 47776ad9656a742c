package dev.espalier.pretrain;

import dev.espalier.pretrain.Tool.Argument;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Makes arguments: of the kinds that people know, from `arguments.txt`, and of kinds nobody has
/// heard of.
final class Slots {
  /// A line of `arguments.txt`.
  private record Archetype(
      List<String> names,
      Kind kind,
      List<String> labels,
      List<String> descriptions,
      List<String> ways) {}

  private static final List<String> CODES =
      List.of(
          "AA-999",
          "AAA9999",
          "9999-A",
          "A99999",
          "AA-99-99",
          "AAA-9999",
          "A9A9A9",
          "99-AA-999",
          "AA9999",
          "A-9999",
          "999-999",
          "99AA99",
          "AA/9999",
          "AAAA-99",
          "A99-999");
  private static final List<String> SHORT =
      List.of("A9", "A99", "A-99", "9A", "99A", "A9", "A99", "AA9", "9-A", "A9A");

  private final List<Archetype> archetypes;
  private final List<Map<String, List<String>>> choices;
  private final Map<String, String> units;
  private final Words words;

  Slots(Words words) {
    this.words = words;
    this.archetypes = Lines.of("arguments.txt").stream().map(Slots::archetype).toList();
    this.choices = Lines.of("choices.txt").stream().map(Slots::choices).toList();
    this.units = units();
  }

  private static Archetype archetype(String line) {
    var cells = line.split(" \\| ");
    return new Archetype(
        list(cells[0], ", "),
        Kind.valueOf(cells[1].toUpperCase(Locale.ROOT)),
        list(cells[2], ", "),
        list(cells[3], "; "),
        list(cells[4], "; "));
  }

  private static List<String> list(String text, String separator) {
    return Arrays.stream(text.split(separator)).map(String::strip).toList();
  }

  private static Map<String, List<String>> choices(String line) {
    var out = new LinkedHashMap<String, List<String>>();
    for (var choice : line.split("; ")) {
      var sides = choice.split(" = ");
      out.put(sides[0].strip(), sides.length == 1 ? List.of() : list(sides[1], ", "));
    }
    return out;
  }

  private static Map<String, String> units() {
    var out = new LinkedHashMap<String, String>();
    for (var unit : PlainWords.line("units").split(";")) {
      var sides = unit.strip().split(" ");
      out.put(sides[0], sides[1]);
    }
    return out;
  }

  /// A random optional argument.
  Slot draw(Dice dice) {
    return dice.chance(0.2) ? unheard(dice) : heard(dice.pick(archetypes), dice);
  }

  /// A random code by which something can be referred to.
  Slot reference(String noun, Dice dice) {
    var name = noun.replace(' ', '_') + dice.oneOf("_id", "_number", "_code", "_ref");
    var label =
        dice.chance(0.5) ? dice.oneOf("number", "reference", "code") : name.replace('_', ' ');
    var form = dice.pick(dice.chance(0.8) ? CODES : SHORT);
    var ways =
        List.of("{v}", "number {v}", "with the {label} {v}", "The {label} is {v}", "It's {v}");
    return slot(
        name,
        Kind.CODE,
        label,
        "",
        form,
        Map.of(),
        ways,
        description("The {label}; {label} such as {example}", label, "", form, dice));
  }

  private Slot heard(Archetype archetype, Dice dice) {
    var name = dice.pick(archetype.names());
    var label = label(name, archetype.labels(), dice);
    var unit = unit(name);
    var form =
        switch (archetype.kind()) {
          case CODE -> fixed(dice.pick(CODES), dice);
          case SHORTCODE -> dice.pick(SHORT);
          default -> "";
        };
    Map<String, List<String>> among =
        archetype.kind() == Kind.CHOICE ? among(name, dice) : Map.of();
    return slot(
        name,
        archetype.kind(),
        label,
        unit,
        form,
        among,
        archetype.ways(),
        description(String.join("; ", archetype.descriptions()), label, unit, form, dice));
  }

  /// Codes of one sort often share their letters: INV-2031, INV-0077.
  private static String fixed(String form, Dice dice) {
    if (!dice.chance(0.3) || !form.startsWith("AA")) return form;
    var letters = new StringBuilder();
    int count = form.lastIndexOf("AA") + 2;
    for (int i = 0; i < count && form.charAt(i) == 'A'; i++) {
      letters.append((char) ('B' + dice.below(25)));
    }
    return letters + form.substring(letters.length());
  }

  private Slot unheard(Dice dice) {
    var kind = dice.pick(List.of(Kind.values()));
    while (kind == Kind.FLAG || kind == Kind.ADDRESS) kind = dice.pick(List.of(Kind.values()));
    var first = words.word(dice);
    var second =
        switch (kind) {
          case DATE -> dice.oneOf("date", "day");
          case TIME -> dice.oneOf("time", "hour");
          case EMAIL -> "email";
          case PHONE -> "phone";
          case PERSON -> dice.oneOf("person", "name", "contact");
          case INTEGER, SMALL -> dice.oneOf("count", "number", "size", "level");
          case MONEY, DECIMAL -> dice.oneOf("value", "amount", "rate");
          case CODE, SHORTCODE, DIGITS -> dice.oneOf("code", "id", "number", "key");
          default -> dice.oneOf(words.word(dice), "name", "type", "label", "word");
        };
    var label = first + " " + second;
    Map<String, List<String>> among = Map.of();
    if (kind == Kind.CHOICE) {
      among = new LinkedHashMap<>();
      for (int i = dice.between(2, 5); i > 0; i--) among.put(words.word(dice), List.of());
    }
    var form =
        kind == Kind.CODE ? dice.pick(CODES) : kind == Kind.SHORTCODE ? dice.pick(SHORT) : "";
    var text = description("The {label}; {label}; Which {label} to use", label, "", form, dice);
    return slot(first + "_" + second, kind, label, "", form, among, List.of(), text);
  }

  private static Slot slot(
      String name,
      Kind kind,
      String label,
      String unit,
      String form,
      Map<String, List<String>> among,
      List<String> ways,
      String description) {
    var argument = new Argument(name, kind.type(), description, List.copyOf(among.keySet()), false);
    return new Slot(argument, kind, label, unit, form, among, ways);
  }

  private static String description(
      String descriptions, String label, String unit, String form, Dice dice) {
    var text = dice.pick(list(descriptions, "; "));
    if (text.contains("{unit}") && unit.isEmpty()) text = "The {label}";
    if (text.contains("{example}") && form.isEmpty()) text = "The {label}";
    var example = form.isEmpty() ? "" : Values.code(form, dice);
    return Phrases.fill(text, dice, "label", label, "unit", unit, "example", example);
  }

  /// The label that goes with the name, such as "duration in minutes" with `duration_minutes`.
  private static String label(String name, List<String> labels, Dice dice) {
    var spaced = name.replace('_', ' ');
    if (labels.contains(spaced)) return spaced;
    var stem = name.split("_")[0];
    stem = stem.substring(0, Math.min(5, stem.length()));
    var fitting = new ArrayList<String>();
    for (var label : labels) {
      if (label.contains(stem)) fitting.add(label);
    }
    return fitting.isEmpty() ? spaced : dice.pick(fitting);
  }

  private String unit(String name) {
    for (var unit : List.of("days", "weeks", "months", "hours", "minutes")) {
      if (name.contains(unit)) return unit;
    }
    return units.getOrDefault(name.split("_")[0], "");
  }

  private Map<String, List<String>> among(String name, Dice dice) {
    if (name.startsWith("prior") || name.startsWith("urg") || name.startsWith("sever")) {
      return choices.get(dice.below(3));
    }
    if (name.equals("language")) return choices.get(22);
    if (name.contains("size")) return choices.get(dice.between(3, 4));
    if (name.startsWith("col")) return dice.chance(0.7) ? choices.get(5) : choices.get(7);
    return dice.pick(choices);
  }
}

package dev.espalier.pretrain;

import dev.espalier.pretrain.Facts.Fact;
import dev.espalier.pretrain.Skill.Family;
import dev.espalier.pretrain.Skill.Verb;
import dev.espalier.pretrain.Tool.Argument;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A business with an assistant: its tools and what its system prompt says.
///
/// @param references the code of each noun, which tools about it take and return
/// @param today what the system prompt says, null if it does not
/// @param defaults values of arguments that nobody gives, by argument name
/// @param facts what the system prompt tells
/// @param proper whether names have capitals in calls however people write them
record Shop(
    String name,
    String trade,
    List<Skill> skills,
    Map<String, Slot> references,
    @Nullable LocalDate today,
    Map<String, Object> defaults,
    List<Fact> facts,
    boolean proper) {

  /// The value that the argument takes if nobody gives it, or null.
  @Nullable Object otherwise(Slot slot) {
    var value = defaults.get(slot.name());
    var choices = slot.argument().choices();
    return value == null || choices.isEmpty() || choices.contains(value.toString()) ? value : null;
  }

  /// Whether another tool does the like to the same thing, so that only the verb tells them apart.
  boolean hasRival(Skill skill) {
    return skills.stream()
        .anyMatch(other ->
            !other.tool().name().equals(skill.tool().name())
                && other.noun().equals(skill.noun())
                && other.verb().family() == skill.verb().family());
  }

  /// Which descriptions a shop's tools have.
  private record Described(boolean tools, boolean arguments) {}

  /// Makes shops.
  static final class Maker {
    private final Slots slots;
    private final Values values;
    private final Words words;
    private final Facts facts;
    private final List<Verb> verbs = Verb.load();
    private final List<String> trades = Lines.of("nouns.txt");

    Maker(Slots slots, Values values, Words words) {
      this.slots = slots;
      this.values = values;
      this.words = words;
      this.facts = new Facts(words);
    }

    /// @param size how many tools
    Shop make(int size, Dice dice) {
      var trade = dice.pick(trades).split(": ");
      var nouns = new ArrayList<>(dice.some(List.of(trade[1].split(", ")), dice.between(1, 4)));
      if (dice.chance(0.2)) nouns.set(0, words.word(dice));
      var references = new HashMap<String, Slot>();
      var style = dice.below(10);
      var described = new Described(dice.chance(0.9), dice.chance(0.6));
      for (var noun : nouns) {
        references.put(noun, styled(slots.reference(noun, dice), style, described));
      }
      var names = new HashSet<String>();
      var skills = new ArrayList<Skill>();
      for (int tries = 0; skills.size() < size && tries < 4 * size; tries++) {
        var noun = dice.pick(nouns);
        var skill = skill(noun, references.get(noun), style, described, dice);
        if (!confusable(skill, skills, dice) && names.add(skill.tool().name())) skills.add(skill);
      }
      var today =
          dice.chance(0.6)
              ? LocalDate.of(dice.between(2020, 2031), dice.between(1, 12), dice.between(1, 28))
              : null;
      return new Shop(
          words.names(dice, dice.between(1, 2)),
          trade[0],
          skills,
          references,
          today,
          defaults(skills, today, dice),
          facts.draw(dice.oneOf(0, 0, 0, 1, 2, 4), dice),
          dice.chance(0.4));
    }

    private Skill skill(
        String noun, @Nullable Slot reference, int style, Described described, Dice dice) {
      var verb = dice.pick(verbs);
      if (verb.family() != Family.CREATE && dice.chance(0.4)) verb = dice.pick(verbs);
      var own = new LinkedHashMap<String, Slot>();
      if (reference != null && (verb.family() == Family.CHANGE || verb.family() == Family.DROP)) {
        own.put(reference.name(), reference.required(true));
      }
      int count =
          switch (verb.family()) {
            case CREATE -> dice.oneOf(1, 2, 2, 3, 3, 4, 4, 5, 6);
            case CHANGE -> dice.oneOf(1, 1, 2);
            case DROP -> dice.oneOf(0, 0, 1);
            case LOOKUP -> dice.oneOf(1, 1, 2, 3);
          };
      for (int i = 0; i < count; i++) {
        var slot = styled(slots.draw(dice), style, described);
        if (own.values().stream().anyMatch(slot::soundsLike)) continue;
        own.putIfAbsent(slot.name(), slot.required(slot.kind() != Kind.FLAG && dice.chance(0.7)));
      }
      if (own.isEmpty()) {
        var slot = slots.draw(dice);
        own.put(slot.name(), styled(slot, style, described));
      }
      var list = new ArrayList<>(own.values());
      if (dice.chance(0.3)) list = new ArrayList<>(dice.shuffled(list));
      if (list.stream().noneMatch(Slot::required)) list.set(0, list.get(0).required(true));
      var arguments = list.stream().map(Slot::argument).toList();
      var tool =
          new Tool(
              toolName(verb, noun, style),
              described.tools() ? about(verb, noun, dice) : "",
              arguments);
      return new Skill(tool, List.copyOf(list), verb, noun);
    }

    /// Whether a request for one could be taken for the other.
    private static boolean confusable(Skill skill, List<Skill> others, Dice dice) {
      for (var other : others) {
        boolean alike =
            other.noun().equals(skill.noun()) && other.verb().family() == skill.verb().family();
        if (!alike) continue;
        boolean apart = Collections.disjoint(other.verb().said(), skill.verb().said());
        if (!apart || dice.chance(0.6)) return true;
      }
      return false;
    }

    private static Slot styled(Slot slot, int style, Described described) {
      var old = slot.argument();
      var name = style == 7 ? camel(old.name()) : old.name();
      var argument =
          new Argument(
              name,
              old.type(),
              described.arguments() ? old.description() : "",
              old.choices(),
              old.required());
      return new Slot(
          argument,
          slot.kind(),
          slot.label(),
          slot.unit(),
          slot.form(),
          slot.synonyms(),
          slot.ways());
    }

    private static String toolName(Verb verb, String noun, int style) {
      var snake = verb.name() + "_" + noun.replaceAll("[ -]", "_");
      return switch (style) {
        case 7 -> camel(snake);
        case 8 -> Words.capital(camel(snake));
        case 9 -> noun.replaceAll("[ -]", "_") + "_" + verb.name();
        default -> snake;
      };
    }

    private static String camel(String snake) {
      var out = new StringBuilder();
      for (var part : snake.split("_")) out.append(out.isEmpty() ? part : Words.capital(part));
      return out.toString();
    }

    private static String about(Verb verb, String noun, Dice dice) {
      var said = Words.capital(dice.pick(verb.said()));
      return switch (dice.below(4)) {
        case 0 -> said + " " + Skill.a(noun) + ".";
        case 1 ->
            said + " " + Skill.plural(noun) + dice.oneOf("", " for a customer", " in the system");
        case 2 -> "Use this to " + dice.pick(verb.said()) + " " + Skill.a(noun);
        default ->
            said
                + " "
                + Skill.a(noun)
                + dice.oneOf("", " for somebody", " by the details given", " of ours");
      };
    }

    private Map<String, Object> defaults(List<Skill> skills, @Nullable LocalDate today, Dice dice) {
      var out = new HashMap<String, Object>();
      if (!dice.chance(0.3)) return out;
      var skill = dice.pick(skills);
      for (var slot : skill.slots()) {
        boolean plain =
            slot.kind() == Kind.CHOICE || slot.kind() == Kind.PLACE || slot.kind() == Kind.INTEGER;
        if (slot.required() && plain && out.isEmpty())
          out.put(slot.name(), values.draw(slot, today, dice));
      }
      return out;
    }
  }
}

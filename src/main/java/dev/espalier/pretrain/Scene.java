package dev.espalier.pretrain;

import dev.espalier.chat.Json;
import dev.espalier.pretrain.Conversation.Call;
import dev.espalier.pretrain.Conversation.Result;
import dev.espalier.pretrain.Conversation.Say;
import dev.espalier.pretrain.Conversation.Turn;
import dev.espalier.pretrain.Conversation.User;
import dev.espalier.pretrain.Skill.Family;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// One conversation between a person and the assistant of a shop, played errand by errand.
///
/// Whatever a call carries can be read off what comes before it: the person said it, a result held
/// it, or the system prompt has it as a default.
final class Scene {
  private final Shop shop;
  private final Phrases phrases;
  private final Values values;
  private final Dice dice;
  private final Wording wording;
  private final double confirming;
  private final double echoing;
  private final List<Turn> turns;

  /// @param turns the conversation so far, which the scene goes on with
  Scene(Shop shop, Phrases phrases, Values values, List<Turn> turns, Dice dice) {
    this.shop = shop;
    this.phrases = phrases;
    this.values = values;
    this.turns = turns;
    this.dice = dice;
    this.wording = new Wording(phrases, shop.today(), shop.proper(), dice);
    this.confirming = dice.oneOf(0.0, 0.0, 0.2, 0.9);
    this.echoing = dice.oneOf(0.3, 0.7, 0.9);
  }

  /// Plays an errand with a random tool, and what follows from it.
  void errand() {
    var skill = dice.pick(shop.skills());
    var wanted = draw(skill);
    if (dice.chance(0.12)) {
      two(skill, wanted);
      return;
    }
    if (!ask(skill, wanted)) return;
    perform(skill, wanted);
  }

  /// Two errands in one message: the second follows the result of the first.
  private void two(Skill skill, Map<Slot, Object> wanted) {
    var second = dice.pick(shop.skills());
    var also = draw(second);
    user(
        wording.request(skill, shop.hasRival(skill), wanted, this::value)
            + " "
            + phrases.say("also", dice)
            + " "
            + wording.request(second, shop.hasRival(second), also, this::value));
    call(skill, wanted);
    result(skill, wanted, reference(skill, wanted));
    perform(second, also);
  }

  /// The person asks once, gives all that is needed, and the tool is called: many calls in little
  /// room.
  void quick() {
    var skill = dice.pick(shop.skills());
    var wanted = draw(skill);
    user(wording.request(skill, shop.hasRival(skill), wanted, this::value));
    call(skill, wanted);
    var reference = reference(skill, wanted);
    result(skill, wanted, reference);
    if (dice.chance(0.6)) say(done(skill, wanted, reference));
    else
      say(
          phrases.say(
              "done",
              dice,
              "noun",
              skill.noun(),
              "done",
              skill.verb().done(),
              "list",
              list(skill, wanted)));
  }

  /// Values for what must be given and some of what may be, in schema order.
  private Map<Slot, Object> draw(Skill skill) {
    var wanted = new LinkedHashMap<Slot, Object>();
    for (var slot : skill.slots()) {
      boolean given = slot.required() || dice.chance(0.35);
      if (shop.otherwise(slot) != null && dice.chance(0.6)) given = false;
      if (given) wanted.put(slot, value(slot));
    }
    return wanted;
  }

  private Object value(Slot slot) {
    var value = values.draw(slot, shop.today(), dice);
    if (slot.kind() == Kind.TITLE && shop.proper()) return Words.proper(value.toString());
    boolean free =
        slot.kind() == Kind.TITLE || slot.kind() == Kind.TEXT || slot.kind() == Kind.CODEWORD;
    return wording.lower() && free ? value.toString().toLowerCase(Locale.ROOT) : value;
  }

  /// The request and what has to be asked until everything is known; false if the person gives up.
  private boolean ask(Skill skill, Map<Slot, Object> wanted) {
    var given = new LinkedHashMap<Slot, Object>();
    var missing = new ArrayList<Slot>();
    int style = dice.below(10);
    for (var slot : wanted.keySet()) {
      boolean now = !slot.required() || style < 5 || (style < 8 && dice.chance(0.5));
      if (now) given.put(slot, wanted.get(slot));
      else missing.add(slot);
    }
    user(wording.request(skill, shop.hasRival(skill), given, this::value));
    while (!missing.isEmpty()) {
      if (!given.isEmpty() && dice.chance(0.06)) {
        say(question(missing.getFirst()));
        user(change(wanted, given.keySet()));
      }
      if (dice.chance(0.02)) return giveUp();
      if (dice.chance(0.03)) pause();
      if (missing.size() > 1 && dice.chance(0.25))
        askTwo(missing.remove(0), missing.remove(0), wanted);
      else askOne(missing.remove(0), missing, wanted);
    }
    return confirm(skill, wanted);
  }

  private void askOne(Slot slot, List<Slot> missing, Map<Slot, Object> wanted) {
    say(question(slot));
    var answer = wording.answer(slot, known(wanted, slot));
    if (!missing.isEmpty() && dice.chance(0.15)) {
      var next = missing.remove(0);
      answer = answer.replaceAll("[.]$", "") + ". " + wording.sentence(next, wanted.get(next));
    }
    user(answer);
  }

  private static Object known(Map<Slot, Object> wanted, Slot slot) {
    return Objects.requireNonNull(wanted.get(slot));
  }

  private void askTwo(Slot slot, Slot other, Map<Slot, Object> wanted) {
    say(phrases.say("ask-two", dice, "label", slot.label(), "other", other.label()));
    user(wording.answer(slot, known(wanted, slot), other, known(wanted, other)));
  }

  private String question(Slot slot) {
    var section =
        switch (slot.kind()) {
          case FLAG -> "ask-flag";
          case CHOICE -> dice.chance(0.6) ? "ask-choice" : "ask";
          case PERSON -> dice.chance(0.3) ? "ask-person" : "ask";
          case PLACE -> dice.chance(0.3) ? "ask-place" : "ask";
          case DATE -> dice.chance(0.4) ? "ask-date" : "ask";
          case TIME -> dice.chance(0.4) ? "ask-time" : "ask";
          case INTEGER -> dice.chance(0.2) ? "ask-integer" : "ask";
          default -> "ask";
        };
    return phrases.say(section, dice, "label", slot.label(), "choices", choices(slot));
  }

  private static String choices(Slot slot) {
    var all = slot.argument().choices();
    if (all.size() < 2) return String.join("", all);
    return String.join(", ", all.subList(0, all.size() - 1)) + " or " + all.getLast();
  }

  private void pause() {
    user(phrases.say("wait", dice));
    say(phrases.say("wait-answer", dice));
  }

  private boolean giveUp() {
    user(phrases.say("cancelled", dice));
    say(phrases.say("cancelled-answer", dice));
    return false;
  }

  /// Reads everything back, now and then, and hears that it is right or what is wrong.
  private boolean confirm(Skill skill, Map<Slot, Object> wanted) {
    if (wanted.isEmpty() || !dice.chance(confirming)) return true;
    say(
        phrases.say(
            "confirm",
            dice,
            "list",
            list(skill, wanted),
            "verb",
            dice.pick(skill.verb().said()),
            "noun",
            skill.noun()));
    if (dice.chance(0.06)) return giveUp();
    if (dice.chance(0.3)) {
      user(change(wanted, wanted.keySet()));
    } else {
      user(phrases.say("agree", dice) + extra(skill, wanted));
    }
    return true;
  }

  /// One more value that comes to mind.
  private String extra(Skill skill, Map<Slot, Object> wanted) {
    for (var slot : skill.slots()) {
      if (slot.required() || wanted.containsKey(slot) || !dice.chance(0.2)) continue;
      var value = value(slot);
      wanted.put(slot, value);
      return " " + wording.sentence(slot, value);
    }
    return "";
  }

  /// Changes the value of one of the slots and says so.
  private String change(Map<Slot, Object> wanted, Set<Slot> slots) {
    var slot = dice.pick(List.copyOf(slots));
    var old = known(wanted, slot);
    var value = value(slot);
    if (slot.kind() == Kind.FLAG) value = !(Boolean) old;
    wanted.put(slot, value);
    boolean ambiguous =
        wanted.keySet().stream()
            .anyMatch(
                other -> !other.name().equals(slot.name()) && other.kind().alike(slot.kind()));
    return wording.correction(slot, old, value, ambiguous);
  }

  private void perform(Skill skill, Map<Slot, Object> wanted) {
    call(skill, wanted);
    if (skill.verb().family() == Family.LOOKUP) {
      lookup(skill, wanted);
      return;
    }
    if (dice.chance(0.06)) {
      fail();
      return;
    }
    var reference = reference(skill, wanted);
    result(skill, wanted, reference);
    say(done(skill, wanted, reference));
    if (!wanted.isEmpty() && dice.chance(0.12)) {
      user(change(wanted, wanted.keySet()));
      serve(skill, wanted, reference);
    }
    follow(skill, wanted, reference);
  }

  /// Calls the tool, has its result and says that it is done.
  private void serve(Skill skill, Map<Slot, Object> wanted, @Nullable String reference) {
    call(skill, wanted);
    result(skill, wanted, reference);
    say(done(skill, wanted, reference));
  }

  private void call(Skill skill, Map<Slot, Object> wanted) {
    var arguments = new LinkedHashMap<String, Object>();
    for (var slot : skill.slots()) {
      var value = wanted.get(slot);
      if (value == null && slot.required()) value = shop.otherwise(slot);
      if (value != null) arguments.put(slot.name(), value);
    }
    turns.add(new Call(skill.tool().name(), arguments));
  }

  private void fail() {
    var why = values.text(dice);
    turns.add(new Result(Json.write(Json.object().put("error", why))));
    say(phrases.say("failed", dice, "why", why));
  }

  private @Nullable String reference(Skill skill, Map<Slot, Object> wanted) {
    var slot = shop.references().get(skill.noun());
    if (slot == null) return null;
    for (var entry : wanted.entrySet()) {
      if (entry.getKey().name().equals(slot.name())) return entry.getValue().toString();
    }
    return Values.code(slot.form(), dice);
  }

  private void result(Skill skill, Map<Slot, Object> wanted, @Nullable String reference) {
    var record = new LinkedHashMap<String, Object>();
    if (dice.chance(0.7))
      record.put("status", dice.oneOf("ok", skill.verb().done(), "success", "done"));
    var slot = shop.references().get(skill.noun());
    if (reference != null && slot != null) record.put(slot.name(), reference);
    if (dice.chance(0.4)) wanted.forEach((key, value) -> record.put(key.name(), value));
    turns.add(new Result(Records.write(record, dice)));
  }

  private String done(Skill skill, Map<Slot, Object> wanted, @Nullable String reference) {
    var phrase = phrases.template("done", dice);
    while (phrase.contains("{list}") != (dice.chance(echoing) && !wanted.isEmpty())) {
      phrase = phrases.template("done", dice);
    }
    var out =
        Phrases.fill(
            phrase,
            dice,
            "noun",
            skill.noun(),
            "done",
            skill.verb().done(),
            "list",
            list(skill, wanted));
    var slot = shop.references().get(skill.noun());
    if (slot == null || reference == null || dice.chance(0.3)) return out;
    return out + " " + phrases.say("reference", dice, "label", slot.label(), "v", reference);
  }

  private String list(Skill skill, Map<Slot, Object> wanted) {
    if (wanted.isEmpty()) return skill.noun();
    return wanted.entrySet().stream()
        .map(entry ->
            entry.getKey().label() + " " + Speech.show(entry.getKey(), entry.getValue(), dice))
        .collect(Collectors.joining(", "));
  }

  /// What a person may want next: the same again with a change, or something done with it.
  private void follow(Skill skill, Map<Slot, Object> wanted, @Nullable String reference) {
    if (skill.verb().family() == Family.CREATE && wanted.size() > 1 && dice.chance(0.2)) {
      var next = new LinkedHashMap<>(wanted);
      var slot = dice.pick(List.copyOf(next.keySet()));
      var value =
          slot.kind() == Kind.FLAG ? !(Boolean) wanted.getOrDefault(slot, true) : value(slot);
      next.put(slot, value);
      var changes = wording.value(slot, slot.kind() == Kind.FLAG ? "" : value);
      if (slot.kind() != Kind.FLAG) {
        user(phrases.say("again", dice, "changes", slot.label() + " " + changes));
        serve(skill, next, reference(skill, Map.of()));
      }
      return;
    }
    if (reference != null && dice.chance(0.6)) goOn(skill, reference);
  }

  /// Does something more with what the last call was about, without naming it again, if a tool can.
  private void goOn(Skill skill, String reference) {
    for (var other : dice.shuffled(shop.skills())) {
      var slot = shop.references().get(skill.noun());
      boolean about =
          other.noun().equals(skill.noun())
              && !other.tool().name().equals(skill.tool().name())
              && slot != null
              && other.slots().stream().anyMatch(s -> s.name().equals(slot.name()));
      if (about && !shop.hasRival(other)) {
        refer(other, reference);
        return;
      }
    }
  }

  private void refer(Skill skill, String reference) {
    var slot = shop.references().get(skill.noun());
    var wanted = new LinkedHashMap<Slot, Object>();
    var given = new LinkedHashMap<Slot, Object>();
    for (var own : skill.slots()) {
      boolean known = slot != null && own.name().equals(slot.name());
      if (known) wanted.put(own, reference);
      else if (own.required()) given.put(own, value(own));
      if (given.containsKey(own)) wanted.put(own, given.get(own));
    }
    var opening =
        phrases.say("follow", dice, "verb", dice.pick(skill.verb().said()), "noun", skill.noun());
    user(wording.with(opening.replaceAll("[.]$", ""), skill, given, this::value));
    serve(skill, wanted, reference);
  }

  /// A record or a few, read out, and questions about them that need no call.
  private void lookup(Skill skill, Map<Slot, Object> wanted) {
    if (dice.chance(0.08)) {
      turns.add(
          new Result(dice.oneOf("[]", "{\"results\":[]}", "{\"error\":\"not found\"}", "none")));
      say(phrases.say("nothing", dice, "noun", skill.noun()));
      return;
    }
    var record = new LinkedHashMap<String, Object>();
    var fields = new ArrayList<Slot>();
    var slot = shop.references().get(skill.noun());
    if (slot != null && dice.chance(0.6)) fields.add(slot);
    for (var other : dice.some(shop.skills(), 3)) fields.addAll(dice.some(other.slots(), 1));
    fields.removeIf(field -> field.kind() == Kind.FLAG);
    if (fields.isEmpty()) return;
    for (var field : fields) record.put(field.name(), values.draw(field, shop.today(), dice));
    for (var entry : wanted.entrySet()) {
      if (record.containsKey(entry.getKey().name()))
        record.put(entry.getKey().name(), entry.getValue());
    }
    turns.add(new Result(Records.write(record, dice)));
    var read = dice.some(fields, dice.between(1, fields.size()));
    var list =
        read.stream()
            .map(f -> f.label() + " " + Speech.show(f, shown(record, f), dice))
            .collect(Collectors.joining(", "));
    say(phrases.say("record", dice, "noun", skill.noun(), "list", list));
    if (slot != null && record.get(slot.name()) instanceof String reference && dice.chance(0.4)) {
      goOn(skill, reference);
      return;
    }
    for (var field : dice.some(fields, dice.below(3))) {
      user(phrases.say("detail", dice, "label", field.label()));
      say(
          phrases.say(
              "detail-answer",
              dice,
              "label",
              field.label(),
              "v",
              Speech.show(field, shown(record, field), dice)));
    }
  }

  private static Object shown(Map<String, Object> record, Slot field) {
    return record.getOrDefault(field.name(), "");
  }

  /// A turn or two that need no tool.
  void smallTalk() {
    var nouns =
        shop.skills().stream()
            .map(Skill::noun)
            .distinct()
            .map(Skill::plural)
            .collect(Collectors.joining(", "));
    var skills =
        shop.skills().stream()
            .limit(3)
            .map(s -> s.verb().said().get(0) + " " + s.aNoun())
            .collect(Collectors.joining(", "));
    switch (dice.below(4)) {
      case 0 -> {
        user(phrases.say("able", dice));
        say(phrases.say("able-answer", dice, "skills", skills));
      }
      case 1 -> {
        user(phrases.say("stray", dice, "thing", values.title(dice)));
        say(phrases.say("stray-answer", dice, "things", nouns));
      }
      default -> {
        user(phrases.say("hello", dice));
        say(phrases.say("hello-back", dice, "company", shop.name()));
      }
    }
  }

  /// Questions about what the system prompt tells.
  void inquiry() {
    for (var fact : shop.facts()) {
      if (!dice.chance(0.5)) continue;
      user(fact.question());
      say(fact.statement());
    }
  }

  void goodbye() {
    user(phrases.say("thanks", dice));
    say(phrases.say("welcome", dice));
  }

  private void user(String text) {
    turns.add(new User(wording.typed(text)));
  }

  private void say(String text) {
    turns.add(new Say(text));
  }
}

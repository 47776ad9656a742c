package dev.espalier.env;

import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import tools.jackson.databind.JsonNode;

/// A person who writes to the office: what they want, and how they say it.
final class MarinaGuest {
  /// Tools about where a vessel lies, which make no sense twice in a breath.
  private static final Set<String> WHEREABOUTS =
      Set.of("lookup_vessel", "reserve_berth", "transfer_mooring");

  private static final String MOVE = "transfer_mooring";

  private final MarinaValues values;
  private final MarinaPhrases phrases;
  private final Difficulty difficulty;
  private final Draw draw;
  private final MarinaSpeech speech;
  private final MarinaKnown known;

  /// @param known what the office has learnt so far, which the person need not say again
  /// @param speech how the person writes
  MarinaGuest(
      MarinaValues values,
      MarinaPhrases phrases,
      Difficulty difficulty,
      Draw draw,
      MarinaKnown known,
      MarinaSpeech speech) {
    this.values = values;
    this.phrases = phrases;
    this.difficulty = difficulty;
    this.draw = draw;
    this.known = known;
    this.speech = speech;
  }

  /// A message about some tasks.
  ///
  /// @param missing the arguments that it leaves out and that the office cannot know
  record Ask(String text, Set<String> missing) {}

  /// What the person wants next: often something else for the same boat.
  ///
  /// @param tools that it may be done with
  MarinaTask next(List<MarinaTask> pending, List<String> tools) {
    var vessel = pending.isEmpty() ? known.vessel() : pending.getLast().vessel();
    while (true) {
      var berth = known.berth(vessel);
      boolean moving = berth != null && draw.chance(0.25) && tools.contains(MOVE);
      var tool = moving ? MOVE : draw.pick(tools);
      var task = new MarinaTask(tool, Json.object());
      for (var slot : PortAlder.arguments(tool)) {
        var value = MarinaTask.value(slot, values, draw);
        if (slot.equals("vessel") && vessel != null && draw.chance(0.7)) {
          value = MarinaTask.text(vessel);
        } else if (slot.equals("reporter") && known.reporter() != null && draw.chance(0.7)) {
          value = MarinaTask.text(known.reporter());
        } else if (slot.equals("from_berth") && known.berth(task.vessel()) != null) {
          value = MarinaTask.text(Objects.requireNonNull(known.berth(task.vessel())));
        }
        task.arguments().set(slot, value);
      }
      var lies = known.berth(task.vessel());
      boolean news = lies == null || tool.equals(MOVE) || !WHEREABOUTS.contains(tool);
      boolean moves = !task.arguments().path("to_berth").equals(task.arguments().get("from_berth"));
      boolean apart =
          pending.isEmpty()
              || !task.arguments().path("vessel").asString("").equals(vessel)
              || !WHEREABOUTS.contains(tool);
      if (news && moves && apart && known.first(task)) return task;
    }
  }

  /// Asks for one thing or two.
  ///
  /// @param opens whether it is the first message of the conversation
  Ask ask(List<MarinaTask> wanted, boolean opens) {
    var missing = new TreeSet<String>();
    var body = new ArrayList<String>();
    for (var task : wanted) {
      if (!body.isEmpty()) body.add(phrases.any("also", draw));
      var first = wanted.size() == 1 && draw.chance(difficulty.changes() / 2);
      body.add(request(task, missing, wanted.size() == 1, first));
      known.named(task);
    }
    return new Ask(speech.message(String.join(" ", body), opens), missing);
  }

  /// A question that no tool is for.
  String question(String fact, boolean opens) {
    return speech.message(phrases.any(fact, draw), opens);
  }

  /// A request in the person's words; what it leaves out is added to `missing`.
  private String request(
      MarinaTask task, Set<String> missing, boolean forgetful, boolean wavering) {
    var phrase = phrases.any(task.tool(), draw);
    var optional = MarinaPhrases.optional(phrase);
    var said = new TreeSet<String>();
    for (var slot : task.arguments().propertyNames()) {
      boolean can = optional.contains(slot);
      if (can && known.knows(task, slot) && draw.chance(0.6)) continue;
      if (can && MarinaTask.isDefault(slot, task.arguments().get(slot)) && draw.chance(0.6)) {
        continue;
      }
      boolean nameless = slot.equals("vessel") && known.vessel() == null;
      boolean needed = !MarinaTask.hasDefault(slot);
      if ((can || nameless) && needed && forgetful && draw.chance(difficulty.omissions())) {
        missing.add(slot);
        if (can) continue;
      }
      said.add(slot);
    }
    var changeable = new ArrayList<>(said);
    changeable.removeAll(missing);
    changeable.removeIf(slot -> !changeable(task, slot));
    if (!wavering || changeable.isEmpty()) {
      return fill(MarinaPhrases.keep(phrase, said), task, said, missing);
    }
    var slot = draw.pick(changeable);
    var before = task.with(slot, other(task, slot));
    return fill(MarinaPhrases.keep(phrase, said), before, said, missing) + " " + change(task, slot);
  }

  private String fill(String phrase, MarinaTask task, Set<String> said, Set<String> missing) {
    return MarinaPhrases.SLOT
        .matcher(phrase)
        .replaceAll(match -> Matcher.quoteReplacement(word(match.group(1), task, said, missing)));
  }

  private String word(String slot, MarinaTask task, Set<String> said, Set<String> missing) {
    if (slot.equals("amount")) return amount(task, said);
    if (slot.equals("vessel") && missing.contains(slot)) return phrases.any("my boat", draw);
    if (slot.equals("vessel") && known.knows(task, slot) && draw.chance(0.6)) {
      return phrases.any("same boat", draw);
    }
    return speech.value(slot, task.arguments().get(slot));
  }

  private String amount(MarinaTask task, Set<String> said) {
    var fuel = said.contains("fuel") ? speech.value("fuel", task.arguments().get("fuel")) : "";
    if (!said.contains("litres")) return "some " + (fuel.isEmpty() ? "fuel" : fuel);
    var litres = speech.value("litres", task.arguments().get("litres"));
    return fuel.isEmpty() ? litres : litres + " of " + fuel;
  }

  private JsonNode other(MarinaTask task, String slot) {
    while (true) {
      var value = MarinaTask.value(slot, values, draw);
      boolean same = false;
      for (var taken : task.arguments()) same |= taken.equals(value);
      if (!same) return value;
    }
  }

  private String change(MarinaTask task, String slot) {
    var section = phrases.has("change " + slot) ? "change " + slot : "change";
    return put(phrases.any(section, draw), task, slot);
  }

  private String put(String phrase, MarinaTask task, String slot) {
    return phrase.replace("{x}", speech.value(slot, task.arguments().get(slot)));
  }

  /// Whether people change it: not what went wrong, nor where a vessel lies, nor which vessel
  /// moves.
  private static boolean changeable(MarinaTask task, String slot) {
    return switch (slot) {
      case "defect", "from_berth" -> false;
      case "vessel" -> !task.tool().equals(MOVE);
      default -> true;
    };
  }

  /// What the person answers when asked for an argument.
  String reply(MarinaTask task, String slot) {
    var section = phrases.has("reply " + slot) ? "reply " + slot : "reply date";
    return speech.answer(put(phrases.any(section, draw), task, slot));
  }

  /// Second thoughts: the task with another value for one argument.
  MarinaTask reconsider(MarinaTask task) {
    var slots = task.arguments().propertyNames().stream().filter(it -> changeable(task, it));
    var slot = draw.pick(slots.toList());
    return task.with(slot, other(task, slot));
  }

  /// How the person says that a task is to be another than it was.
  String correction(MarinaTask before, MarinaTask changed) {
    for (var slot : changed.arguments().propertyNames()) {
      boolean same = changed.arguments().get(slot).equals(before.arguments().get(slot));
      if (!same) return speech.answer(change(changed, slot));
    }
    throw new IllegalArgumentException("nothing was changed");
  }

  String thanks() {
    return speech.answer(phrases.any("thanks", draw));
  }
}

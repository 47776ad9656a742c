package dev.espalier.env;

import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// Writes one conversation between a person and the office, who makes no mistake.
final class MarinaScript {
  private static final JsonNode ANSWERS = MarinaText.json("answers.json");
  private static final List<String> FACTS = List.copyOf(ANSWERS.path("facts").propertyNames());

  /// Tools about where a vessel lies, which make no sense twice in a breath.
  private static final Set<String> WHEREABOUTS =
      Set.of("lookup_vessel", "reserve_berth", "transfer_mooring");

  private final MarinaValues values;
  private final MarinaPhrases phrases;
  private final Difficulty difficulty;
  private final Draw draw;
  private final MarinaSpeech speech;
  private final MarinaKnown known = new MarinaKnown();
  private final ArrayNode messages = Json.array();
  private int calls;

  MarinaScript(MarinaValues values, MarinaPhrases phrases, Difficulty difficulty, Draw draw) {
    this.values = values;
    this.phrases = phrases;
    this.difficulty = difficulty;
    this.draw = draw;
    speech = new MarinaSpeech(phrases, difficulty, draw);
  }

  Dialogue write(String id) {
    say("system", PortAlder.systemPrompt());
    int tasks = 1 + draw.below(3);
    while (tasks > 0) {
      if (draw.chance(difficulty.smallTalk())) ask(draw.pick(FACTS));
      var wanted = new ArrayList<MarinaTask>();
      wanted.add(next(List.of()));
      if (tasks > 1 && draw.chance(0.25)) wanted.add(next(wanted));
      tasks -= wanted.size();
      serve(wanted, tasks == 0);
    }
    return new Dialogue(id, messages);
  }

  /// A question that no tool is for.
  private void ask(String fact) {
    say("user", speech.message(phrases.any(fact, draw), messages.size() == 1));
    say("assistant", ANSWERS.path("facts").path(fact).asString());
  }

  /// What the person wants next: often something else for the same boat.
  private MarinaTask next(List<MarinaTask> pending) {
    var vessel = pending.isEmpty() ? known.vessel() : pending.getLast().vessel();
    while (true) {
      var berth = known.berth(vessel);
      var tool =
          berth != null && draw.chance(0.25)
              ? "transfer_mooring"
              : draw.pick(PortAlder.toolNames());
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
      boolean news = lies == null || tool.equals("transfer_mooring") || !WHEREABOUTS.contains(tool);
      boolean moves = !task.arguments().path("to_berth").equals(task.arguments().get("from_berth"));
      boolean apart =
          pending.isEmpty()
              || !task.arguments().path("vessel").asString("").equals(vessel)
              || !WHEREABOUTS.contains(tool);
      if (news && moves && apart && known.first(task)) return task;
    }
  }

  /// The person asks for one thing or two, is asked back what is missing, and is served.
  private void serve(List<MarinaTask> wanted, boolean last) {
    var missing = new TreeSet<String>();
    var body = new ArrayList<String>();
    for (var task : wanted) {
      if (!body.isEmpty()) body.add(phrases.any("also", draw));
      var first = wanted.size() == 1 && draw.chance(difficulty.changes() / 2);
      body.add(request(task, missing, wanted.size() == 1, first));
      known.named(task);
    }
    say("user", speech.message(String.join(" ", body), messages.size() == 1));
    for (int i = 0; i < wanted.size(); i++) {
      var task = wanted.get(i);
      inquire(task, missing);
      call(task);
      boolean open = i < wanted.size() - 1;
      if (open) result(task);
      else close(task, last);
    }
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
      case "vessel" -> !task.tool().equals("transfer_mooring");
      default -> true;
    };
  }

  /// The office asks for what is missing, one thing at a time.
  private void inquire(MarinaTask task, Set<String> missing) {
    for (var slot : task.arguments().propertyNames()) {
      if (!missing.contains(slot)) continue;
      say("assistant", ANSWERS.path("ask").path(slot).asString());
      var section = phrases.has("reply " + slot) ? "reply " + slot : "reply date";
      say("user", speech.answer(put(phrases.any(section, draw), task, slot)));
    }
  }

  private void call(MarinaTask task) {
    var function =
        Json.object().put("name", task.tool()).put("arguments", task.arguments().toString());
    var call = Json.object().put("id", "call_" + ++calls).put("type", "function");
    call.set("function", function);
    var message = Json.object().put("role", "assistant");
    message.set("tool_calls", Json.array().add(call));
    messages.add(message);
  }

  /// What the tool answers, and what the office knows from it.
  private JsonNode result(MarinaTask task) {
    var result = Json.object();
    var vessel = task.vessel();
    if (task.tool().equals("lookup_vessel") && vessel != null) {
      var berth = values.berth(draw);
      result.put("vessel", vessel).put("berth", berth).put("owner", values.person(draw));
      known.lies(vessel, berth);
    } else {
      result.put("ok", true).put("ref", "PA-" + (1000 + draw.below(9000)));
      for (var slot : List.of("berth", "to_berth")) {
        var berth = task.arguments().get(slot);
        if (vessel != null && berth != null) known.lies(vessel, berth.asString());
      }
    }
    messages.add(
        Json.object()
            .put("role", "tool")
            .put("tool_call_id", "call_" + calls)
            .put("content", result.toString()));
    return result;
  }

  /// After the call: the result, a confirmation, second thoughts, thanks; or the person is gone.
  private void close(MarinaTask task, boolean last) {
    boolean second = draw.chance(difficulty.changes() / 2);
    if (last && !second && !draw.chance(0.25)) return;
    var result = result(task);
    boolean confirmed = (last && !second) || draw.chance(0.35);
    if (confirmed) confirm(task, result);
    if (second) {
      reconsider(task, last);
    } else if (last && draw.chance(0.3)) {
      say("user", speech.answer(phrases.any("thanks", draw)));
      say("assistant", ANSWERS.path("thanks").asString());
    }
  }

  private void confirm(MarinaTask task, JsonNode result) {
    var text = ANSWERS.path("done").path(task.tool()).asString();
    say(
        "assistant",
        task.tool().equals("lookup_vessel")
            ? text.formatted(result.path("vessel").asString(), result.path("berth").asString())
            : text.formatted(result.path("ref").asString()));
  }

  /// The person changes something after the call, and the office calls again.
  private void reconsider(MarinaTask task, boolean last) {
    var slots = task.arguments().propertyNames().stream().filter(it -> changeable(task, it));
    var slot = draw.pick(slots.toList());
    var changed = task.with(slot, other(task, slot));
    say("user", speech.answer(change(changed, slot)));
    known.named(changed);
    call(changed);
    if (!last) result(changed);
  }

  private void say(String role, String text) {
    messages.add(Json.object().put("role", role).put("content", text));
  }
}

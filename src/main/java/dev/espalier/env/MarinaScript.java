package dev.espalier.env;

import dev.espalier.chat.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// Writes one conversation between a person and the office, who makes no mistake.
final class MarinaScript {
  private static final JsonNode ANSWERS = MarinaText.json("answers.json");
  private static final List<String> FACTS = List.copyOf(ANSWERS.path("facts").propertyNames());

  private final MarinaValues values;
  private final Difficulty difficulty;
  private final Draw draw;
  private final MarinaGuest guest;
  private final MarinaKnown known = new MarinaKnown();
  private final ArrayNode messages = Json.array();
  private int calls;

  MarinaScript(MarinaValues values, MarinaPhrases phrases, Difficulty difficulty, Draw draw) {
    this.values = values;
    this.difficulty = difficulty;
    this.draw = draw;
    var speech = new MarinaSpeech(phrases, difficulty, draw, "any");
    guest = new MarinaGuest(values, phrases, difficulty, draw, known, speech);
  }

  Dialogue write(String id) {
    say("system", PortAlder.systemPrompt());
    int tasks = 1 + draw.below(3);
    while (tasks > 0) {
      if (draw.chance(difficulty.smallTalk())) ask(draw.pick(FACTS));
      var wanted = new ArrayList<MarinaTask>();
      wanted.add(guest.next(List.of(), PortAlder.toolNames()));
      if (tasks > 1 && draw.chance(0.25)) wanted.add(guest.next(wanted, PortAlder.toolNames()));
      tasks -= wanted.size();
      serve(wanted, tasks == 0);
    }
    return new Dialogue(id, messages);
  }

  /// A question that no tool is for.
  private void ask(String fact) {
    say("user", guest.question(fact, messages.size() == 1));
    say("assistant", ANSWERS.path("facts").path(fact).asString());
  }

  /// The person asks for one thing or two, is asked back what is missing, and is served.
  private void serve(List<MarinaTask> wanted, boolean last) {
    var ask = guest.ask(wanted, messages.size() == 1);
    say("user", ask.text());
    for (int i = 0; i < wanted.size(); i++) {
      var task = wanted.get(i);
      inquire(task, ask.missing());
      call(task);
      boolean open = i < wanted.size() - 1;
      if (open) result(task);
      else close(task, last);
    }
  }

  /// The office asks for what is missing, one thing at a time.
  private void inquire(MarinaTask task, Set<String> missing) {
    for (var slot : task.arguments().propertyNames()) {
      if (!missing.contains(slot)) continue;
      say("assistant", ANSWERS.path("ask").path(slot).asString());
      say("user", guest.reply(task, slot));
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
      say("user", guest.thanks());
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
    var changed = guest.reconsider(task);
    say("user", guest.correction(task, changed));
    known.named(changed);
    call(changed);
    if (!last) result(changed);
  }

  private void say(String role, String text) {
    messages.add(Json.object().put("role", role).put("content", text));
  }
}

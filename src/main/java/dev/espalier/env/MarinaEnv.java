package dev.espalier.env;

import dev.espalier.chat.Completion;
import dev.espalier.chat.Json;
import dev.espalier.chat.ToolCall;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Port Alder as an environment: a simulated person wants some things of the office, one after the
/// other, and is gone when the last was done. What counts then is the office's book and not a word
/// of what was said.
///
/// The reward is 1 if the book holds what was wanted and nothing else; a book that is wrong earns
/// up to a half, by how much of it is right.
public final class MarinaEnv implements Env {
  /// The name it is registered by.
  public static final String NAME = "port-alder";

  private static final JsonNode ANSWERS = MarinaText.json("answers.json");
  private static final JsonNode QUESTIONS = ANSWERS.path("ask");
  private static final List<String> FACTS = List.copyOf(ANSWERS.path("facts").propertyNames());
  private static final int PATIENCE = 2;
  private static final double CONSOLATION = 0.5; // the most that a wrong book earns

  /// Something that the person wants, and how they ask for it.
  ///
  /// @param smallTalk a question that no tool is for, which comes first; null for none
  private record Thing(MarinaTask task, String text, @Nullable String smallTalk) {}

  private final Realism realism;
  private final Draw luck;
  private final MarinaOffice office;
  private final MarinaGuest guest;
  private final List<Thing> things = new ArrayList<>();
  private final @Nullable MarinaTask secondThought;
  private final Map<String, JsonNode> wanted = new TreeMap<>();

  private int now; // which of the things is being asked for
  private boolean chatting; // and whether the small talk before it is
  private boolean changed;
  private int puzzled;

  /// @param set whose values and phrasings: `captured`, `held-out` or `unseen`
  /// @param draw of what is wanted and said: the same for all attempts at a task
  /// @param luck of what goes wrong: an attempt's own
  private MarinaEnv(String set, Errands errands, Realism realism, Draw draw, Draw luck) {
    this.realism = realism;
    this.luck = luck;
    var values = errands.values(set);
    var phrases = set.equals("unseen") ? MarinaPhrases.unseen() : MarinaPhrases.seen();
    var known = new MarinaKnown();
    office = new MarinaOffice(values, new Draw(new Random(draw.below(Integer.MAX_VALUE))));
    var speech = new MarinaSpeech(phrases, realism.people(), draw, realism.manner());
    guest = new MarinaGuest(values, phrases, realism.people(), draw, known, speech);
    for (int i = 0; i < errands.things(); i++) {
      double chance = realism.people().smallTalk();
      boolean talks = chance > 0 && draw.chance(chance);
      var smallTalk = talks ? guest.question(draw.pick(FACTS), i == 0) : null;
      var task = guest.next(List.of(), errands.possible());
      things.add(new Thing(task, guest.ask(List.of(task), i == 0 && !talks).text(), smallTalk));
      want(task);
      lies(known, task);
    }
    boolean second = draw.chance(realism.people().changes());
    secondThought = second ? reconsidered(things.getLast().task()) : null;
  }

  /// What an office that makes no mistake would know afterwards.
  private void lies(MarinaKnown known, MarinaTask task) {
    var vessel = task.vessel();
    if (vessel == null) return;
    if (task.tool().equals("lookup_vessel")) {
      known.lies(vessel, office.lookup(vessel).path("berth").asString());
    }
    for (var slot : List.of("berth", "to_berth")) {
      var berth = task.arguments().get(slot);
      if (berth != null) known.lies(vessel, berth.asString());
    }
  }

  /// The task of that number of a set.
  public static Task task(String set, long seed, long number, Errands errands) {
    var data = Json.object().put("set", set).put("seed", seed).put("number", number);
    errands.write(data);
    return new Task(NAME, "%s-%d-%d".formatted(set, seed, number), data);
  }

  /// Opens attempts with that much realism.
  public static Environments.Maker maker(Realism realism) {
    return (task, seed) -> {
      var data = task.data();
      var set = data.path("set").asString();
      long own = data.path("seed").asLong() ^ set.hashCode();
      return new MarinaEnv(
          set,
          Errands.read(data),
          realism,
          Draw.of(own, data.path("number").asLong()),
          Draw.of(seed, 0));
    };
  }

  @Override
  public Conversation start() {
    var messages = Json.array();
    messages.add(Json.object().put("role", "system").put("content", PortAlder.systemPrompt()));
    messages.add(user(ask(0)));
    return new Conversation(messages, PortAlder.tools());
  }

  private void want(MarinaTask task) {
    wanted.put(MarinaOffice.key(task.tool(), task.arguments()), task.arguments());
  }

  /// Whether the person said what no tool is for, and not yet what they want.
  boolean chatting() {
    return chatting;
  }

  /// The calls that make the book right, in order.
  List<MarinaTask> solution() {
    var calls = new ArrayList<>(things.stream().map(Thing::task).toList());
    if (secondThought != null) calls.add(secondThought);
    return calls;
  }

  private static ObjectNode user(String text) {
    return Json.object().put("role", "user").put("content", text);
  }

  @Override
  public Step step(Completion action) {
    var message = action.message();
    if (message.calls().isEmpty()) return spoken(message.text());
    var results = new ArrayList<ObjectNode>();
    boolean served = true;
    for (var call : message.calls()) {
      var result = result(call);
      served &= !result.has("error");
      results.add(
          Json.object()
              .put("role", "tool")
              .put("tool_call_id", call.id())
              .put("content", result.toString()));
    }
    if (!served) return new Step.Continue(results);
    if (nothingElse()) return left();
    results.add(user(next()));
    return new Step.Continue(results);
  }

  /// What the person says first of the thing of that number.
  private String ask(int number) {
    now = number;
    var thing = things.get(number);
    chatting = thing.smallTalk() != null;
    return thing.smallTalk() != null ? thing.smallTalk() : thing.text();
  }

  /// Whether the person is gone once the office has done what it is asked for now.
  private boolean nothingElse() {
    return !chatting && now == things.size() - 1 && (secondThought == null || changed);
  }

  private ObjectNode result(ToolCall call) {
    var result =
        luck.chance(realism.failing()) ? failed() : office.call(call.name(), call.arguments());
    if (luck.chance(realism.wrong()) && result.has("vessel")) {
      result = office.lookup("Nameless " + luck.below(100)).deepCopy();
    }
    if (!realism.slowest().isZero()) wait(luck.below((int) realism.slowest().toMillis() + 1));
    return result;
  }

  private static ObjectNode failed() {
    return Json.object().put("error", "the office's system did not answer: try again");
  }

  private static void wait(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the attempt was abandoned", e);
    }
  }

  /// The person answers a question, has second thoughts, wants the next thing, or leaves.
  private Step spoken(String text) {
    if (chatting) return go(next());
    var task = changed && secondThought != null ? secondThought : things.get(now).task();
    var slot = asked(text, task);
    if (slot != null) {
      var others =
          task.arguments().propertyNames().stream().filter(it -> !it.equals(slot)).toList();
      boolean mistaken = !others.isEmpty() && luck.chance(realism.mistaken());
      return go(guest.reply(task, mistaken ? luck.pick(others) : slot));
    }
    if (text.contains("?") || text.isBlank()) {
      return ++puzzled < PATIENCE ? go(things.get(now).text()) : left();
    }
    return nothingElse() ? left() : go(next());
  }

  /// What the person says once something was done: what the small talk led up to, the next thing,
  /// or a second thought on the last.
  private String next() {
    if (chatting) {
      chatting = false;
      return things.get(now).text();
    }
    if (now < things.size() - 1) return ask(now + 1);
    var thought = Objects.requireNonNull(secondThought);
    changed = true;
    want(thought);
    return guest.correction(things.getLast().task(), thought);
  }

  /// The task with another value for something that does not decide which entry it is; null if it
  /// has nothing else.
  private @Nullable MarinaTask reconsidered(MarinaTask task) {
    var key = MarinaOffice.key(task.tool(), task.arguments());
    for (int i = 0; i < 20; i++) {
      var other = guest.reconsider(task);
      if (MarinaOffice.key(other.tool(), other.arguments()).equals(key)) return other;
    }
    return null;
  }

  /// The argument that a text asks for: by the office's own question, or by its name.
  private static @Nullable String asked(String text, MarinaTask about) {
    var plain = text.strip().toLowerCase(Locale.ROOT);
    if (!plain.endsWith("?")) return null;
    for (var slot : about.arguments().propertyNames()) {
      if (plain.equals(QUESTIONS.path(slot).asString("").toLowerCase(Locale.ROOT))) return slot;
    }
    Set<String> slots = new LinkedHashSet<>(about.arguments().propertyNames());
    slots.removeIf(
        slot -> !plain.contains(slot.replace('_', ' ').replaceAll("^(lift|move|from|to) ", "")));
    return slots.isEmpty() ? null : slots.iterator().next();
  }

  private Step go(String text) {
    return new Step.Continue(List.of(user(text)));
  }

  private Step left() {
    boolean right = office.book().equals(wanted) && now == things.size() - 1;
    return right
        ? new Step.Done(1, "the book is right")
        : new Step.Done(CONSOLATION * share(), difference());
  }

  /// How much of the book is right, below 1 if anything is wrong: tools and arguments count alike.
  private double share() {
    double sum = 0;
    for (var entry : wanted.entrySet()) {
      double best = 0;
      for (var written : office.book().entrySet()) {
        if (tool(written.getKey()).equals(tool(entry.getKey()))) {
          best = Math.max(best, alike(entry.getValue(), written.getValue()));
        }
      }
      sum += best;
    }
    return sum / Math.max(things.size(), Math.max(wanted.size(), office.book().size()));
  }

  private static String tool(String key) {
    return key.substring(0, key.indexOf('/'));
  }

  private static double alike(JsonNode wanted, JsonNode written) {
    int right = 1; // the tool
    for (var slot : wanted.propertyNames()) {
      if (wanted.get(slot).equals(written.get(slot))) right++;
    }
    return right / (1.0 + wanted.size());
  }

  private String difference() {
    for (var entry : wanted.entrySet()) {
      var got = office.book().get(entry.getKey());
      if (!entry.getValue().equals(got)) {
        return "%s should be %s but is %s".formatted(entry.getKey(), entry.getValue(), got);
      }
    }
    return "the book has more than was wanted: " + office.book().keySet();
  }
}

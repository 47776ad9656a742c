import dev.espalier.chat.CompletionJson;
import dev.espalier.chat.Json;
import dev.espalier.env.Dialogue.Turn;
import dev.espalier.env.Difficulty;
import dev.espalier.env.PortAlder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import tools.jackson.databind.node.ObjectNode;

/// Conversations of the harbour office as OpenAI chats, a line for each assistant turn: `SET SEED LINES [TOOLS [calls]]`.
///
/// SET is captured or held-out; TOOLS, with commas, are all that a conversation may call; `calls` leaves out everything but the first
/// turn of a conversation, which must be a call, and the instructions and tools with it: tasks of one turn.
void main(String[] args) {
  long seed = Long.parseLong(args[1]);
  int lines = Integer.parseInt(args[2]);
  Set<String> tools = args.length > 3 ? new HashSet<>(List.of(args[3].split(","))) : Set.of();
  boolean calls = args.length > 4 && args[4].equals("calls");
  var plain = new Difficulty(0.02, 0, 0, 0.1, 0.05, 0);
  var difficulty = calls ? plain : Difficulty.MODERATE;
  var dialogues =
      args[0].equals("held-out")
          ? PortAlder.heldOut(seed, 100 * lines, difficulty)
          : PortAlder.captured(seed, 100 * lines, difficulty);
  Predicate<Turn> first = turn -> !calls || (turn.isCall() && turn.messages().size() == 2);
  dialogues
      .map(dialogue -> dialogue.turns())
      .filter(turns -> tools.isEmpty() || turns.stream().allMatch(turn -> within(turn, tools)))
      .filter(turns -> turns.stream().anyMatch(Turn::isCall))
      .flatMap(List::stream)
      .filter(first)
      .limit(lines)
      .forEach(turn -> IO.println(line(turn, calls)));
}

boolean within(Turn turn, Set<String> tools) {
  return turn.answer().calls().stream().allMatch(call -> tools.contains(call.name()));
}

ObjectNode line(Turn turn, boolean bare) {
  var messages = turn.messages().deepCopy();
  if (bare) messages.remove(0);
  messages.add(CompletionJson.message(turn.answer()));
  var line = Json.object();
  line.set("messages", messages);
  if (!bare) line.set("tools", PortAlder.tools());
  return line;
}

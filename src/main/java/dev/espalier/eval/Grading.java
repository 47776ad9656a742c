package dev.espalier.eval;

import dev.espalier.chat.CanonicalCall;
import dev.espalier.chat.Message;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;

/// Compares an answer with the expected one.
///
/// Calls of one turn are a multiset: they run in parallel, so their order means nothing. Text
/// beside a call is not compared. Tool and argument names are compared first, so that a wrong value
/// is only counted where everything around it is right.
public final class Grading {
  /// Text that a chat format has left of a call that it could not read: it holds the mark that
  /// calls begin with, or is the beginning of a bare call.
  private static final Pattern BROKEN_CALL =
      Pattern.compile(
          "<\\|call\\|>|<tool_call>|<function=|\\[TOOL_CALLS]|<\\|python_tag\\|>|^\\s*\\{\\s*\"name\"\\s*:");

  private Grading() {}

  public static Grade grade(Message.Assistant expected, Message.Assistant answer) {
    if (expected.calls().isEmpty()) return text(expected, answer);
    if (answer.calls().isEmpty()) {
      boolean tried = BROKEN_CALL.matcher(answer.text()).find();
      return tried ? Grade.UNPARSEABLE : Grade.NO_CALL;
    }
    var asked = CanonicalCall.all(answer.calls());
    if (asked == null) return Grade.UNPARSEABLE;
    var wanted = CanonicalCall.all(expected.calls());
    if (wanted == null) {
      throw new IllegalArgumentException("the expected call has no readable arguments");
    }
    if (differ(wanted, asked, CanonicalCall::name)) return Grade.WRONG_TOOL;
    if (differ(wanted, asked, call -> List.of(call.name(), call.arguments().keySet()))) {
      return Grade.WRONG_ARGUMENT;
    }
    return differ(wanted, asked, call -> call) ? Grade.WRONG_VALUE : Grade.EXACT;
  }

  private static Grade text(Message.Assistant expected, Message.Assistant answer) {
    if (!answer.calls().isEmpty()) return Grade.FALSE_CALL;
    return expected.text().strip().equals(answer.text().strip()) ? Grade.EXACT : Grade.OTHER_TEXT;
  }

  private static boolean differ(
      List<CanonicalCall> a, List<CanonicalCall> b, Function<CanonicalCall, Object> part) {
    return !Objects.equals(counts(a, part), counts(b, part));
  }

  private static Map<Object, Integer> counts(
      List<CanonicalCall> calls, Function<CanonicalCall, Object> part) {
    var counts = new HashMap<Object, Integer>();
    for (var call : calls) counts.merge(part.apply(call), 1, Integer::sum);
    return counts;
  }
}

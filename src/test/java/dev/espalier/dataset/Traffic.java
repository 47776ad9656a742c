package dev.espalier.dataset;

import dev.espalier.chat.ChatRequest;
import dev.espalier.chat.Json;
import dev.espalier.store.Example;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Small conversations for tests.
final class Traffic {
  private Traffic() {}

  static ObjectNode message(String role, String content) {
    return Json.object().put("role", role).put("content", content);
  }

  static ObjectNode call(String id, String name, String arguments) {
    var message = Json.object().put("role", "assistant").putNull("content");
    var call = message.putArray("tool_calls").addObject().put("id", id).put("type", "function");
    call.putObject("function").put("name", name).put("arguments", arguments);
    return message;
  }

  static ArrayNode messages(ObjectNode... messages) {
    return Json.array().addAll(List.of(messages));
  }

  static Example example(String conversation, ArrayNode prompt, ObjectNode target) {
    return new Example(ChatRequest.of("m", prompt, null), target, conversation, conversation);
  }

  static Example example(String conversation, String system, String user, String answer) {
    var prompt = messages(message("system", system), message("user", user));
    return example(conversation, prompt, message("assistant", answer));
  }

  /// Every turn of random conversations, each prompt with the turns before it, out of order. The
  /// openings are few, so that many conversations share one.
  ///
  /// @param named whether turns say which conversation they are of
  static List<Example> conversations(int count, Random random, boolean named) {
    var examples = new ArrayList<Example>();
    for (int c = 0; c < count; c++) {
      var history = messages(message("system", "You book tables."));
      int turns = 1 + random.nextInt(4);
      for (int t = 0; t < turns; t++) {
        var said = t == 0 ? "opening " + random.nextInt(count * 4) : "turn " + random.nextInt();
        history.add(message("user", said));
        var target = message("assistant", "answer " + random.nextInt(1000));
        var id = named ? "c" + c : "request " + c + "." + t;
        examples.add(example(id, history.deepCopy(), target));
        history.add(target);
      }
    }
    Collections.shuffle(examples, random);
    return examples;
  }
}

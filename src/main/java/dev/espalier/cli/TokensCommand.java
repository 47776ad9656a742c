package dev.espalier.cli;

import dev.espalier.chat.Json;
import dev.espalier.chat.Tokenizer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `espalier tokens`: a raw look into a model's tokenizer.
@Command(
    name = "tokens",
    description = "Shows the token ids of a text, or the text of token ids.",
    mixinStandardHelpOptions = true)
final class TokensCommand implements Callable<Integer> {
  /// One of the two.
  static final class Input {
    @Option(names = "--text", required = true, description = "The text to tokenise.")
    @Nullable String text;

    @Option(names = "--ids", required = true, split = ",", description = "The ids to decode: 1,2,3")
    int @Nullable [] ids;
  }

  @Option(names = "--model", required = true, description = "The model's folder.")
  private @Nullable Path model;

  @ArgGroup(multiplicity = "1")
  private @Nullable Input input;

  @Option(names = "--json", description = "One JSON object: {\"ids\": [...], \"text\": ...}.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    try (var tokenizer = Tokenizer.load(Objects.requireNonNull(model))) {
      show(tokenizer, Objects.requireNonNull(input), out);
    }
    out.flush();
    return 0;
  }

  private void show(Tokenizer tokenizer, Input input, PrintWriter out) {
    int[] ids = input.ids != null ? input.ids : tokenizer.encode(String.valueOf(input.text));
    var text = tokenizer.decode(ids);
    if (json) {
      var line = Json.object();
      var array = line.putArray("ids");
      for (int id : ids) array.add(id);
      out.println(line.put("text", text));
      return;
    }
    for (int id : ids) out.printf("%8d  %s%n", id, Json.write(tokenizer.decode(id)));
    out.println(text);
  }
}

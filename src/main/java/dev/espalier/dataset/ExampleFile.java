package dev.espalier.dataset;

import dev.espalier.chat.Json;
import dev.espalier.store.Example;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Examples in OpenAI's fine-tuning format, one JSON object a line: `{"messages": [… assistant
/// messages may carry "weight": 0 or 1 …], "tools": […]}`.
///
/// A field of ours may stand beside them: `"espalier": {"conversation": …, "source": …}` keeps
/// lines of one conversation together in a split, and says where a line came from.
public final class ExampleFile {
  private static final String BYTE_ORDER_MARK = "\u00EF\u00BB\u00BF"; // its UTF-8, read as Latin 1

  private ExampleFile() {}

  /// What a file gave.
  ///
  /// @param lines lines that are not blank
  /// @param bad a message for each line that was left out, empty unless bad lines are skipped
  public record Read(List<Example> examples, int lines, List<String> bad) {
    public Read {
      examples = List.copyOf(examples);
      bad = List.copyOf(bad);
    }
  }

  /// Reads a file, line by line.
  ///
  /// @param skipBad leaves bad lines out and reports them, instead of refusing the file
  /// @throws DatasetException that names file, line and fault, or if there is no example at all
  public static Read read(Path file, Turns turns, boolean skipBad) {
    var examples = new ArrayList<Example>();
    var bad = new ArrayList<String>();
    int lines = 0;
    // Latin 1 keeps the bytes of a line as they are, for the parser to check as UTF-8.
    try (var in = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
      int number = 0;
      for (var line = first(in); line != null; line = in.readLine()) {
        number++;
        if (line.isBlank()) continue;
        lines++;
        var at = file.getFileName() + ":" + number;
        try {
          var bytes = line.getBytes(StandardCharsets.ISO_8859_1);
          examples.addAll(new ExampleLine(bytes).examples(turns, at));
        } catch (DatasetException e) {
          var what = "%s:%d: %s".formatted(file, number, e.getMessage());
          if (!skipBad) {
            throw new DatasetException(what + "; mend the line, or leave such out: --skip-bad", e);
          }
          bad.add(what);
        }
      }
    } catch (NoSuchFileException e) {
      throw new DatasetException(file + " does not exist", e);
    } catch (IOException e) {
      throw new DatasetException(file + " cannot be read: " + e.getMessage(), e);
    }
    if (examples.isEmpty()) {
      var first = bad.isEmpty() ? "" : ", the first for: " + bad.getFirst();
      throw new DatasetException(
          "%s holds no examples (%d lines, %d left out%s)"
              .formatted(file, lines, bad.size(), first));
    }
    return new Read(examples, lines, bad);
  }

  private static String first(BufferedReader in) throws IOException {
    var line = in.readLine();
    if (line == null) return "";
    return line.startsWith(BYTE_ORDER_MARK) ? line.substring(BYTE_ORDER_MARK.length()) : line;
  }

  /// Writes examples so that [#read] gives them back: a line each, earlier answers at weight 0.
  public static void write(Path file, List<Example> examples) {
    try (var out = Files.newBufferedWriter(file)) {
      for (var example : examples) {
        var line = Conversations.single(example).json().deepCopy();
        line.putObject("espalier")
            .put("conversation", example.conversation())
            .put("source", example.source());
        out.write(Json.write(line));
        out.write('\n');
      }
    } catch (IOException e) {
      throw new DatasetException(file + " cannot be written: " + e.getMessage(), e);
    }
  }
}

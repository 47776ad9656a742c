package dev.espalier.rl;

import dev.espalier.train.TrainingException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A run's `metrics.jsonl`: what each step and each evaluation gave, kept beside what is shown.
/// Steps go to the store too.
final class Metrics implements AutoCloseable {
  private static final String FILE = "metrics.jsonl";

  private final Path file;
  private final Journal journal;
  private final Consumer<ObjectNode> progress;
  private BufferedWriter out;

  private Metrics(Path file, Journal journal, Consumer<ObjectNode> progress) throws IOException {
    this.file = file;
    this.journal = journal;
    this.progress = progress;
    out = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  static Metrics open(Path run, Journal journal, Consumer<ObjectNode> progress) {
    try {
      Files.createDirectories(run);
      return new Metrics(run.resolve(FILE), journal, progress);
    } catch (IOException e) {
      throw new TrainingException("cannot write to the run's folder " + run, e);
    }
  }

  /// Drops what a killed run noted after its last checkpoint: it is done again.
  void keepUntil(int step) {
    try {
      out.close();
      var lines = Files.readAllLines(file);
      // a last line cut off by the kill is after the checkpoint too
      if (!lines.isEmpty() && !whole(lines.getLast())) lines.removeLast();
      var kept = new ArrayList<String>();
      for (var line : lines) {
        if (JsonMapper.shared().readTree(line).path("step").asInt() <= step) kept.add(line);
      }
      var beside = file.resolveSibling(FILE + ".part"); // a kill leaves the whole file
      Files.write(beside, kept);
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
      out = Files.newBufferedWriter(file, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new TrainingException("cannot rewrite " + file, e);
    }
  }

  private static boolean whole(String line) {
    try {
      return JsonMapper.shared().readTree(line).isObject();
    } catch (JacksonException e) {
      return false;
    }
  }

  void add(ObjectNode line) {
    try {
      out.write(line.toString());
      out.newLine();
      out.flush();
    } catch (IOException e) {
      throw new TrainingException("cannot write " + file + ": is the disk full?", e);
    }
    if (line.path("event").asString("").equals("step")) {
      journal.step(line.path("step").asInt(), line);
    }
    progress.accept(line);
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new TrainingException("cannot write " + file, e);
    }
  }
}

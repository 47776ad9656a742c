package dev.espalier.train;

import dev.espalier.model.Safetensors;
import dev.espalier.model.WholeFolder;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A run's state on disk: tensors and a JSON record of how far it came, whole or not there at all.
///
/// Each lies in a folder `step-N`, written beside and renamed into place, so that `kill -9` at any
/// moment leaves the one before. One of the same step is `step-N.old` meanwhile, and whoever looks
/// next takes it up.
///
/// @param folder where it lies
/// @param progress what the run noted
public record Checkpoint(Path folder, ObjectNode progress) {
  private static final String PREFIX = "step-";
  private static final String OLD = ".old";
  private static final String STATE = "state.safetensors";
  private static final String PROGRESS = "progress.json";

  /// Saves a checkpoint and deletes all but the newest ones.
  ///
  /// @param run the run's folder
  /// @param tensors everything that must come back to the same bits
  /// @param keep how many to keep, this one included
  public static Checkpoint save(
      Path run, int step, SequencedMap<String, Tensor> tensors, ObjectNode progress, int keep) {
    var folder = run.resolve(PREFIX + step);
    var beside = run.resolve(PREFIX + step + ".part");
    var old = run.resolve(PREFIX + step + OLD);
    try {
      mend(run);
      WholeFolder.delete(beside);
      Files.createDirectories(beside);
      Device.cpu()
          .run(Urgency.TRAIN, () -> Safetensors.write(beside.resolve(STATE), tensors, Map.of()));
      Files.writeString(beside.resolve(PROGRESS), progress.toPrettyString());
      if (Files.exists(folder)) Files.move(folder, old, StandardCopyOption.ATOMIC_MOVE);
      Files.move(beside, folder, StandardCopyOption.ATOMIC_MOVE);
      WholeFolder.delete(old);
      var all = all(run);
      for (var before : all.subList(0, Math.max(0, all.size() - keep))) WholeFolder.delete(before);
    } catch (IOException e) {
      throw new TrainingException(
          "cannot write the checkpoint " + folder + ": " + e.getMessage(), e);
    }
    return new Checkpoint(folder, progress);
  }

  /// The newest whole checkpoint of a run, or null if there is none.
  public static @Nullable Checkpoint latest(Path run) {
    if (!Files.isDirectory(run)) return null;
    try {
      mend(run);
      var all = all(run);
      if (all.isEmpty()) return null;
      var text = Files.readString(all.getLast().resolve(PROGRESS));
      return new Checkpoint(all.getLast(), (ObjectNode) JsonMapper.shared().readTree(text));
    } catch (IOException | JacksonException e) {
      throw new TrainingException("cannot read the newest checkpoint of " + run, e);
    }
  }

  /// Fills tensors with the saved ones, bit for bit.
  ///
  /// @throws TrainingException if a tensor is missing or has another shape
  public void restore(SequencedMap<String, Tensor> tensors) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var arena = Arena.ofShared();
                  var noGrad = new NoGradGuard()) {
                var saved = Safetensors.open(folder.resolve(STATE), arena);
                if (!saved.names().equals(tensors.keySet())) {
                  throw new TrainingException(
                      folder + " belongs to a run of another shape: start with a new --name");
                }
                tensors.forEach((name, tensor) -> tensor.copy_(saved.tensor(name)));
              }
            });
  }

  /// Gives a checkpoint its name again that a save had renamed when it was killed; it is of no use
  /// where the new one has the name.
  private static void mend(Path run) throws IOException {
    if (!Files.isDirectory(run)) return;
    for (var old : named(run, PREFIX + "\\d+" + OLD)) {
      var name = old.getFileName().toString();
      var folder = run.resolve(name.substring(0, name.length() - OLD.length()));
      if (Files.exists(folder)) WholeFolder.delete(old);
      else Files.move(old, folder, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static List<Path> named(Path run, String pattern) throws IOException {
    try (var files = Files.list(run)) {
      return files.filter(file -> file.getFileName().toString().matches(pattern)).toList();
    }
  }

  private static List<Path> all(Path run) throws IOException {
    return named(run, PREFIX + "\\d+").stream()
        .sorted(Comparator.comparingInt(Checkpoint::step))
        .toList();
  }

  private static int step(Path folder) {
    return Integer.parseInt(folder.getFileName().toString().substring(PREFIX.length()));
  }
}

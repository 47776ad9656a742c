package dev.espalier.bench;

import dev.espalier.engine.Adapter;
import dev.espalier.engine.BaseModel;
import dev.espalier.model.Decoder;
import dev.espalier.model.Lora;
import dev.espalier.model.LoraConfig;
import dev.espalier.model.ModelShape;
import dev.espalier.model.Peft;
import dev.espalier.model.RopeScaling;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.global.torch;

/// A model that is measured.
///
/// @param size `s` is the built-in model; `m` has the shape of Qwen3-0.6B and random weights
public record Subject(String size, BaseModel base) implements AutoCloseable {
  private static final ModelShape MEDIUM =
      new ModelShape(
          "qwen3",
          28,
          1024,
          16,
          8,
          128,
          3072,
          151_936,
          true,
          false,
          true,
          1e-6,
          1e6,
          new RopeScaling.None(),
          4096);
  private static final int FIRST_WORD = 300; // below are bytes and marks

  /// @param builtIn the folder of the built-in model, whose tokenizer serves both
  /// @throws IllegalArgumentException if there is no such size
  public static Subject of(String size, Path builtIn) {
    return switch (size) {
      case "s" -> new Subject(size, BaseModel.load(builtIn));
      case "m" -> new Subject(size, medium(builtIn));
      default -> throw new IllegalArgumentException("--size is s or m, not " + size);
    };
  }

  private static BaseModel medium(Path builtIn) {
    var small = BaseModel.load(builtIn);
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var scope = new Scope();
                  var wide = Weights.random(MEDIUM, 0.02, torch.make_generator_cpu(1))) {
                var weights = wide.cast(MEDIUM, Dtype.BF16);
                return new BaseModel(
                    builtIn, small.format(), new Decoder(MEDIUM), weights, Dtype.BF16);
              }
            });
  }

  /// How many tokens a prompt of a stream has, and the stream: fewer where each takes longer.
  int length() {
    return size.equals("s") ? 64 : 16;
  }

  /// An adapter of random numbers.
  Adapter adapter(int number, int rank) {
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var lora = Lora.fresh(base.shape(), LoraConfig.ofRank(rank), number)) {
                var name = "adapter-" + number;
                return new Adapter(name, name, lora.frozen(base.shape(), base.dtype()));
              }
            });
  }

  /// Writes an adapter of random numbers as a PEFT folder.
  void save(Path folder, int rank) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var lora = Lora.fresh(base.shape(), LoraConfig.ofRank(rank), 1)) {
                Peft.save(folder, lora, base.name());
              }
            });
  }

  /// Random words.
  int[] text(int length, long seed) {
    int most = Math.min(base.shape().vocabulary(), base.format().tokenizer().size());
    return new Random(seed).ints(length, FIRST_WORD, most).toArray();
  }

  /// Numbers of the linear layers of all blocks.
  long linearWeights() {
    return base.shape().linears().stream().mapToLong(it -> (long) it.in() * it.out()).sum();
  }

  /// Bytes of weights that one token needs: all layers and the head.
  long bytesAToken() {
    var shape = base.shape();
    return (linearWeights() + (long) shape.vocabulary() * shape.width()) * base.dtype().bytes();
  }

  /// Words that nobody has in common.
  int[][] texts(int count, int length) {
    return IntStream.range(0, count).mapToObj(i -> text(length, i)).toArray(int[][]::new);
  }

  @Override
  public void close() {
    base.close();
  }
}

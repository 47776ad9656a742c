package dev.espalier.engine;

import dev.espalier.chat.ChatFormat;
import dev.espalier.model.Decoder;
import dev.espalier.model.ModelException;
import dev.espalier.model.ModelShape;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Lanes;
import dev.espalier.tensor.Memory;
import dev.espalier.tensor.WarmUp;
import java.nio.file.Files;
import java.nio.file.Path;

/// A base model in memory: frozen weights, the decoder, and how it is spoken to. Everything else is
/// an adapter on it.
///
/// @param folder the Hugging Face folder it came from
/// @param dtype the type that linear layers compute in
public record BaseModel(
    Path folder, ChatFormat format, Decoder decoder, Weights weights, Dtype dtype)
    implements AutoCloseable {

  /// Maps a model folder, to compute in the type that its weights are stored in; in float32 where
  /// that is float16, which processors do not multiply.
  ///
  /// @throws ModelException if it is not a model folder, or one that is broken or not supported
  public static BaseModel load(Path folder) {
    return load(folder, computable(folder));
  }

  /// Maps a model folder, to train on: in the type of its weights, or in float32 where products are
  /// faster so and that takes no more than a quarter of the memory.
  ///
  /// @throws ModelException if it is not a model folder, or one that is broken or not supported
  public static BaseModel loadToTrain(Path folder) {
    var dtype = computable(folder);
    var shape = ModelShape.read(folder);
    boolean widened =
        dtype == Dtype.BF16
            && Lanes.faster(dtype, shape.bytes(dtype))
            && shape.bytes(Dtype.F32) <= Memory.total() / 4;
    return load(folder, widened ? Dtype.F32 : dtype);
  }

  private static Dtype computable(Path folder) {
    var stored = Weights.stored(folder);
    return stored == Dtype.F16 ? Dtype.F32 : stored;
  }

  /// Maps a model folder.
  ///
  /// @throws ModelException if it is not a model folder, or one that is broken or not supported
  public static BaseModel load(Path folder, Dtype dtype) {
    if (!Files.isDirectory(folder)) throw new ModelException("there is no model folder " + folder);
    var shape = ModelShape.read(folder);
    WarmUp.begin(dtype);
    ChatFormat format;
    try {
      format = ChatFormat.load(folder);
    } catch (IllegalArgumentException e) {
      throw new ModelException(String.valueOf(e.getMessage()), e);
    }
    if (format.tokenizer().size() > shape.vocabulary()) {
      throw new ModelException(
          "%s: the tokenizer has %d tokens, but the model only %d"
              .formatted(folder, format.tokenizer().size(), shape.vocabulary()));
    }
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () ->
                new BaseModel(
                    folder, format, new Decoder(shape), Weights.load(folder, shape, dtype), dtype));
  }

  /// Its last folder name, which clients use as the model's name.
  public String name() {
    return name(folder);
  }

  /// The name of the model in a folder.
  public static String name(Path folder) {
    return folder.toAbsolutePath().normalize().getFileName().toString();
  }

  public ModelShape shape() {
    return decoder.shape();
  }

  @Override
  public void close() {
    format.close();
    weights.close();
  }
}

package dev.espalier.engine;

import dev.espalier.chat.ChatFormat;
import dev.espalier.model.Decoder;
import dev.espalier.model.ModelShape;
import dev.espalier.model.Weights;
import dev.espalier.pretrain.Bpe;
import dev.espalier.pretrain.BuiltinChat;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The fixture qwen3-tiny as a base model, in float32.
public final class TinyModel {
  public static final Path FOLDER = Path.of("src/test/resources/fixtures/qwen3-tiny");

  private TinyModel() {}

  /// Loads it with a tokenizer that has its size and nothing else, for the fixture has none.
  ///
  /// @param tokenizer where to write that
  public static BaseModel load(Path tokenizer) {
    var shape = ModelShape.read(FOLDER);
    Bpe.train(Stream.of("no text"), 264, BuiltinChat.SPECIALS)
        .write(tokenizer, BuiltinChat.tokenizerConfig(64));
    return Device.cpu()
        .run(
            Urgency.TRAIN,
            () ->
                new BaseModel(
                    FOLDER,
                    ChatFormat.load(tokenizer),
                    new Decoder(shape),
                    Weights.load(FOLDER, shape, Dtype.F32),
                    Dtype.F32));
  }
}

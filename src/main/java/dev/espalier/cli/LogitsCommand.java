package dev.espalier.cli;

import dev.espalier.model.Adapters;
import dev.espalier.model.Decoder;
import dev.espalier.model.ModelShape;
import dev.espalier.model.PackedAttention;
import dev.espalier.model.Peft;
import dev.espalier.model.Weights;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/// `espalier logits`: a raw look into a model, for checking it against other software.
@Command(
    name = "logits",
    description = "Prints the scores of the next token, computed in float32.",
    mixinStandardHelpOptions = true)
final class LogitsCommand implements Callable<Integer> {
  @Option(names = "--model", description = "A model folder (default: the built-in model).")
  private Path model = BuiltInModel.folder();

  @Option(names = "--adapter", description = "A PEFT folder.")
  private @Nullable Path adapter;

  @Option(names = "--tokens", split = ",", required = true, description = "Token ids: 1,2,3.")
  private List<Integer> tokens = List.of();

  @Option(names = "--all", description = "The scores of every position, not of the last alone.")
  private boolean all;

  @Option(names = "--json", description = "Accepted like everywhere; the output is always JSON.")
  @SuppressWarnings("UnusedVariable")
  private boolean json;

  @Override
  public Integer call() {
    var shape = ModelShape.read(model);
    for (int token : tokens) {
      if (token < 0 || token >= shape.vocabulary()) {
        throw new IllegalArgumentException(
            "token %d is outside the vocabulary of %d".formatted(token, shape.vocabulary()));
      }
    }
    if (tokens.size() > shape.context()) {
      throw new IllegalArgumentException("the model's context is " + shape.context() + " tokens");
    }
    var scores = Device.cpu().run(Urgency.DECODE, () -> forward(shape));
    var out = JsonMapper.shared().createObjectNode();
    var array = out.putArray("logits");
    int vocabulary = shape.vocabulary();
    for (int t = 0; t < tokens.size(); t++) {
      if (all) add(array.addArray(), scores, t * vocabulary, vocabulary);
      else if (t == tokens.size() - 1) add(array, scores, t * vocabulary, vocabulary);
    }
    System.out.println(out);
    return 0;
  }

  private static void add(ArrayNode array, float[] scores, int from, int count) {
    for (int i = from; i < from + count; i++) array.add(scores[i]);
  }

  private float[] forward(ModelShape shape) {
    try (var noGrad = new NoGradGuard();
        var weights = Weights.load(model, shape, Dtype.F32)) {
      var adapters = adapter == null ? Adapters.NONE : Peft.load(adapter, shape).cast(Dtype.F32);
      var ids = tokens.stream().mapToLong(Integer::longValue).toArray();
      var whole = new TensorOptions(ScalarType.Long);
      var decoder = new Decoder(shape);
      var hidden =
          decoder.hidden(
              weights,
              torch.tensor(ids, whole).view(1, -1),
              torch.arange(new Scalar(ids.length), whole).view(1, -1),
              PackedAttention.causal(),
              adapters);
      var scores = new float[ids.length * shape.vocabulary()];
      decoder.logits(weights, hidden, adapters).contiguous().data_ptr_float().get(scores);
      return scores;
    }
  }
}

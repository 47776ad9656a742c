package dev.espalier.model;

import dev.espalier.tensor.Scope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// Adapters as GGUF files, as llama.cpp's `--lora` loads them beside a model that was converted by
/// its own scripts.
///
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3.
public final class Gguf {
  private static final int VERSION = 3;
  private static final int TEXT = 8; // types of values
  private static final int FLOAT32 = 6;
  private static final int F32 = 0; // of tensors
  private static final int ALIGNMENT = 32; // bytes
  private static final String LAYER = "model\\.layers\\.(\\d+)\\.(?:self_attn|mlp)\\.(\\w+)_proj";

  private static final Map<String, String> NAMES =
      Map.of(
          "q", "attn_q",
          "k", "attn_k",
          "v", "attn_v",
          "o", "attn_output",
          "gate", "ffn_gate",
          "up", "ffn_up",
          "down", "ffn_down");

  private Gguf() {}

  /// Writes an adapter's matrices in float32.
  ///
  /// @throws ModelException if the file cannot be written
  public static void writeAdapter(Path file, Lora lora, ModelShape shape) {
    try (var _ = new Scope();
        var _ = new NoGradGuard()) {
      var first = lora.sites().firstEntry().getValue();
      double alpha = first.scale() == 0 ? 1 : first.scale() * first.rank();
      var tensors = new LinkedHashMap<String, Tensor>();
      lora.sites()
          .forEach((layer, site) -> {
            // there is one alpha for all layers: where theirs differ, B makes up for it
            var b = site.b().mul(new Scalar(site.scale() * site.rank() / alpha));
            tensors.put(name(layer) + ".weight.lora_a", site.a());
            tensors.put(name(layer) + ".weight.lora_b", rotated(layer, b, shape).contiguous());
          });
      var header = header(shape, alpha, tensors);
      WholeFile.write(file, out -> write(out, header, tensors.values()));
    }
  }

  private static String name(String layer) {
    if (layer.equals("lm_head")) return "output";
    var kind = layer.replaceFirst(LAYER, "$2");
    return layer.replaceFirst(LAYER, "blk.$1.") + NAMES.get(kind);
  }

  /// Llama's queries and keys, whose rotary embedding turns neighbours there and halves here.
  private static Tensor rotated(String layer, Tensor b, ModelShape shape) {
    boolean llama = architecture(shape).equals("llama");
    if (!llama || !layer.matches(".*\\.(q|k)_proj")) return b;
    long heads = layer.endsWith("q_proj") ? shape.heads() : shape.kvHeads();
    return b.view(heads, 2, shape.headDim() / 2, b.size(1)).transpose(1, 2).reshape(b.sizes());
  }

  private static String architecture(ModelShape shape) {
    return shape.family().equals("mistral") ? "llama" : shape.family();
  }

  private static ByteBuffer header(
      ModelShape shape, double alpha, SequencedMap<String, Tensor> tensors) {
    int room = 1 << 10;
    for (var name : tensors.keySet()) room += name.length() + (1 << 6);
    var out = ByteBuffer.allocate(room).order(ByteOrder.LITTLE_ENDIAN);
    out.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(VERSION);
    out.putLong(tensors.size()).putLong(4);
    text(text(text(out, "general.type").putInt(TEXT), "adapter"), "adapter.type").putInt(TEXT);
    text(text(out, "lora"), "general.architecture").putInt(TEXT);
    text(text(out, architecture(shape)), "adapter.lora.alpha").putInt(FLOAT32);
    out.putFloat((float) alpha);
    long place = 0;
    for (var item : tensors.entrySet()) {
      var tensor = item.getValue();
      text(out, item.getKey()).putInt(2).putLong(tensor.size(1)).putLong(tensor.size(0));
      out.putInt(F32).putLong(place);
      place = aligned(place + tensor.nbytes());
    }
    return out.flip();
  }

  private static ByteBuffer text(ByteBuffer out, String text) {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    return out.putLong(bytes.length).put(bytes);
  }

  private static long aligned(long place) {
    return Math.ceilDiv(place, ALIGNMENT) * ALIGNMENT;
  }

  private static void write(FileChannel out, ByteBuffer header, Collection<Tensor> tensors)
      throws IOException {
    WholeFile.put(out, header);
    for (var tensor : tensors) {
      fill(out);
      WholeFile.put(out, tensor);
    }
    fill(out);
  }

  private static void fill(FileChannel out) throws IOException {
    long place = out.position();
    WholeFile.put(out, ByteBuffer.allocate((int) (aligned(place) - place)));
  }
}

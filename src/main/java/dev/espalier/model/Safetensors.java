package dev.espalier.model;

import dev.espalier.tensor.Dtype;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One safetensors file, memory-mapped: tensors are views of the mapping and cost no memory of
/// their own.
///
/// The header is checked as hostile input: its length, the dtypes, shapes and offsets of every
/// tensor, overlaps and gaps. Format: https://github.com/huggingface/safetensors.
public final class Safetensors {
  private static final long MAX_HEADER = 100L << 20;
  private static final JsonMapper STRICT =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private record Entry(Dtype dtype, long[] shape, long begin, long end) {}

  private final Path file;
  private final MemorySegment data;
  private final SequencedMap<String, Entry> entries;
  private final SequencedMap<String, String> metadata;

  private Safetensors(
      Path file,
      MemorySegment data,
      SequencedMap<String, Entry> entries,
      SequencedMap<String, String> metadata) {
    this.file = file;
    this.data = data;
    this.entries = entries;
    this.metadata = metadata;
  }

  /// Maps a file until the process ends, as weights are, and checks its header.
  ///
  /// @throws ModelException if it cannot be read, or is not a sound safetensors file
  public static Safetensors open(Path file) {
    return open(file, Arena.global());
  }

  /// Maps a file and checks its header.
  ///
  /// @param arena how long it stays mapped, and its tensors can be read
  /// @throws ModelException if it cannot be read, or is not a sound safetensors file
  public static Safetensors open(Path file, Arena arena) {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size < 8) throw broken(file, "it is shorter than its header's length field");
      var all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      long length = all.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
      if (length < 2 || length > MAX_HEADER || length > size - 8) {
        throw broken(file, "its header claims " + length + " bytes of a file of " + size);
      }
      var header = new byte[(int) length];
      MemorySegment.copy(all, ValueLayout.JAVA_BYTE, 8, header, 0, header.length);
      return parse(file, all.asSlice(8 + length), header);
    } catch (NoSuchFileException e) {
      throw new ModelException(file + " does not exist; is the model folder complete?", e);
    } catch (IOException e) {
      throw new ModelException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static Safetensors parse(Path file, MemorySegment data, byte[] header) {
    JsonNode json;
    try {
      json = STRICT.readTree(header);
    } catch (JacksonException e) {
      throw broken(file, "its header is not JSON: " + e.getOriginalMessage());
    }
    if (!json.isObject()) throw broken(file, "its header is not a JSON object");
    var entries = new LinkedHashMap<String, Entry>();
    var metadata = new LinkedHashMap<String, String>();
    for (var field : json.properties()) {
      if (field.getKey().equals("__metadata__")) {
        readMetadata(file, field.getValue(), metadata);
        continue;
      }
      entries.put(field.getKey(), entry(file, field.getKey(), field.getValue(), data.byteSize()));
    }
    checkLayout(file, entries, data.byteSize());
    return new Safetensors(file, data, entries, metadata);
  }

  private static void readMetadata(Path file, JsonNode json, Map<String, String> metadata) {
    if (!json.isObject()) throw broken(file, "its __metadata__ is not a JSON object");
    for (var item : json.properties()) {
      if (!item.getValue().isString()) {
        throw broken(file, "its __metadata__ has a value that is not text: " + item.getKey());
      }
      metadata.put(item.getKey(), item.getValue().asString());
    }
  }

  private static Entry entry(Path file, String name, JsonNode json, long size) {
    var dtype =
        switch (json.path("dtype").asString("")) {
          case "F32" -> Dtype.F32;
          case "BF16" -> Dtype.BF16;
          case "F16" -> Dtype.F16;
          case String other ->
              throw broken(file, name + " has dtype \"" + other + "\"; known: F32, BF16, F16");
        };
    var dimensions = json.path("shape");
    if (!dimensions.isArray()) throw broken(file, name + " has no shape");
    var shape = new long[dimensions.size()];
    long bytes = dtype.bytes();
    for (int i = 0; i < shape.length; i++) {
      if (!dimensions.get(i).isIntegralNumber() || dimensions.get(i).asLong(-1) < 0) {
        throw broken(file, name + " has a shape that is not of whole numbers");
      }
      shape[i] = dimensions.get(i).asLong();
      try {
        bytes = Math.multiplyExact(bytes, shape[i]);
      } catch (ArithmeticException e) {
        throw broken(file, name + " has a shape too large to be true");
      }
    }
    var offsets = json.path("data_offsets");
    long begin = offset(offsets.path(0));
    long end = offset(offsets.path(1));
    if (offsets.size() != 2 || begin < 0 || end < begin || end > size) {
      throw broken(file, name + " lies at " + offsets + ", outside the " + size + " bytes of data");
    }
    if (end - begin != bytes) {
      throw broken(file, name + " needs " + bytes + " bytes but has " + (end - begin));
    }
    return new Entry(dtype, shape, begin, end);
  }

  /// The number, or -1 for whatever is not a whole one.
  private static long offset(JsonNode json) {
    return json.isIntegralNumber() ? json.asLong(-1) : -1;
  }

  private static void checkLayout(Path file, Map<String, Entry> entries, long size) {
    var inOrder = new ArrayList<>(entries.entrySet());
    inOrder.sort(
        Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().begin())
            .thenComparingLong(e -> e.getValue().end()));
    long position = 0;
    for (var item : inOrder) {
      if (item.getValue().begin() != position) {
        throw broken(file, item.getKey() + " overlaps its neighbour or leaves a gap before it");
      }
      position = item.getValue().end();
    }
    if (position != size) throw broken(file, (size - position) + " bytes belong to no tensor");
  }

  private static ModelException broken(Path file, String why) {
    return new ModelException(file + " is not a sound safetensors file: " + why);
  }

  /// The names of its tensors, in the order of the header.
  public Set<String> names() {
    return entries.sequencedKeySet();
  }

  /// What the writer noted in `__metadata__`.
  public Map<String, String> metadata() {
    return metadata;
  }

  /// The shape of a tensor.
  public long[] shape(String name) {
    return find(name).shape().clone();
  }

  /// The dtype of a tensor.
  public Dtype dtype(String name) {
    return find(name).dtype();
  }

  /// A tensor as a view of the mapping, which must not be written to. The caller's scope owns the
  /// view.
  public Tensor tensor(String name) {
    var entry = find(name);
    if (entry.end() == entry.begin())
      return torch.empty(entry.shape(), entry.dtype().options(), null);
    if (entry.end() - entry.begin() > Integer.MAX_VALUE) {
      throw new ModelException(file + ": " + name + " is larger than 2 GB");
    }
    var bytes = data.asSlice(entry.begin(), entry.end() - entry.begin()).asByteBuffer();
    return torch.from_blob(new BytePointer(bytes), entry.shape(), entry.dtype().options());
  }

  private Entry find(String name) {
    var entry = entries.get(name);
    if (entry == null) throw new ModelException(file + " has no tensor " + name);
    return entry;
  }

  /// Writes tensors to a file, whole or not at all: it is written beside and moved into place.
  ///
  /// @param tensors contiguous tensors on the processor, of the dtypes of [Dtype]
  public static void write(
      Path file, SequencedMap<String, Tensor> tensors, Map<String, String> metadata) {
    var header = JsonMapper.shared().createObjectNode();
    if (!metadata.isEmpty()) {
      var notes = header.putObject("__metadata__");
      metadata.forEach(notes::put);
    }
    long position = 0;
    for (var item : tensors.entrySet()) {
      var tensor = item.getValue();
      var entry = header.putObject(item.getKey());
      entry.put("dtype", dtype(item.getKey(), tensor).name());
      var shape = entry.putArray("shape");
      for (long dimension : tensor.sizes().vec().get()) shape.add(dimension);
      entry.putArray("data_offsets").add(position).add(position += tensor.nbytes());
    }
    var text = new StringBuilder(header.toString());
    while ((text.length() & 7) != 0) text.append(' '); // the data starts at a multiple of eight
    var bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length);
    WholeFile.write(
        file,
        out -> {
          WholeFile.put(out, length.flip());
          WholeFile.put(out, ByteBuffer.wrap(bytes));
          for (var tensor : tensors.values()) WholeFile.put(out, tensor);
        });
  }

  private static Dtype dtype(String name, Tensor tensor) {
    if (!tensor.is_contiguous()) {
      throw new IllegalArgumentException(name + " must be contiguous to be written");
    }
    for (var dtype : Dtype.values()) {
      if (dtype.is(tensor)) return dtype;
    }
    throw new IllegalArgumentException(name + " has a dtype that is not written");
  }

  /// The safetensors files of a model folder: the one, or the shards that its index names.
  static List<Path> files(Path folder) {
    var index = folder.resolve("model.safetensors.index.json");
    if (!Files.exists(index)) return List.of(folder.resolve("model.safetensors"));
    try {
      var names = new TreeSet<String>();
      @Nullable JsonNode map =
          JsonMapper.shared().readTree(Files.readString(index)).get("weight_map");
      if (map == null || !map.isObject()) throw new ModelException(index + " has no weight_map");
      for (var shard : map.properties()) names.add(shardName(index, shard.getValue()));
      return names.stream().map(folder::resolve).toList();
    } catch (IOException | JacksonException e) {
      throw new ModelException("cannot read " + index + ": " + e.getMessage(), e);
    }
  }

  /// A shard lies beside its index: a downloaded folder has no business with files elsewhere.
  private static String shardName(Path index, JsonNode json) {
    var name = json.isString() ? json.asString() : "";
    if (!name.matches("[\\w.-]+\\.safetensors")) {
      throw new ModelException(
          index + " names " + json + ", which is not a .safetensors file in its own folder");
    }
    return name;
  }
}

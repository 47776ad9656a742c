package dev.espalier.chat;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Text to token ids and back, as the model folder's `tokenizer.json` says.
///
/// Runs Hugging Face's own native library (through DJL) on its bare handle: DJL's wrapper copies
/// seven arrays an encoding, and truncates unless told otherwise. Truncation and padding are taken
/// out of the file before it is loaded, so no call can cut a text.
///
/// Safe for use by many threads. The native memory is freed by [#close], which must come after the
/// last call.
public final class Tokenizer implements AutoCloseable {
  private static final Logger DJL = Logger.getLogger("ai.djl"); // held, or its level is lost
  private static final TokenizersLibrary NATIVE = load();

  private final long handle;
  private final Map<String, Integer> ids;
  private final @Nullable String[] tokens;
  private final List<String> specials;
  private final boolean byteLevel;
  private volatile boolean closed;

  private Tokenizer(long handle, ObjectNode json) {
    this.handle = handle;
    this.ids = ids(json);
    int size = 0;
    for (int id : ids.values()) size = Math.max(size, id + 1);
    this.tokens = new String[size];
    ids.forEach((token, id) -> tokens[id] = token);
    var specials = new ArrayList<String>();
    for (var token : json.path("added_tokens")) {
      if (token.path("special").asBoolean(false)) specials.add(token.path("content").asString());
    }
    this.specials = List.copyOf(specials);
    this.byteLevel = json.path("decoder").toString().contains("\"ByteLevel\"");
  }

  /// DJL looks for a CUDA build of the library to download unless it is told to stay offline.
  private static TokenizersLibrary load() {
    DJL.setLevel(Level.WARNING); // it tells where it found its library
    if (System.getProperty("ai.djl.offline") == null) System.setProperty("ai.djl.offline", "true");
    LibUtils.checkStatus();
    return TokenizersLibrary.LIB;
  }

  /// Loads the `tokenizer.json` of a model folder.
  ///
  /// @throws IllegalArgumentException if the file is missing or is not a tokenizer
  public static Tokenizer load(Path modelDir) {
    var file = modelDir.resolve("tokenizer.json");
    try {
      return parse(Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException(
          file + " is missing: a model folder needs its tokenizer", e);
    } catch (IOException e) {
      throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + " " + e.getMessage(), e);
    }
  }

  /// Makes a tokenizer of the text of a `tokenizer.json`.
  ///
  /// @throws IllegalArgumentException if it is not one; the message reads on from the file's name
  public static Tokenizer parse(String text) {
    try {
      if (!(Json.parse(text) instanceof ObjectNode json) || !json.path("model").isObject()) {
        throw new IllegalArgumentException("is not a tokenizer.json: it has no \"model\" object");
      }
      json.putNull("truncation").putNull("padding");
      return new Tokenizer(NATIVE.createTokenizerFromString(Json.write(json)), json);
    } catch (JacksonException e) {
      throw new IllegalArgumentException("is not JSON: " + e.getOriginalMessage(), e);
    } catch (IllegalArgumentException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new IllegalArgumentException("is not a usable tokenizer: " + e.getMessage(), e);
    }
  }

  private static Map<String, Integer> ids(ObjectNode json) {
    var ids = new HashMap<String, Integer>();
    var vocabulary = json.path("model").path("vocab");
    for (var entry : vocabulary.properties()) ids.put(entry.getKey(), id(entry.getValue()));
    for (int i = 0; vocabulary.isArray() && i < vocabulary.size(); i++) {
      ids.put(vocabulary.get(i).path(0).asString(), i); // a Unigram model: [token, score] by id
    }
    for (var token : json.path("added_tokens")) {
      ids.put(token.path("content").asString(), id(token.path("id")));
    }
    return ids;
  }

  private static int id(JsonNode json) {
    int id = json.asInt(-1);
    if (id < 0 || id >= 1 << 24) {
      throw new IllegalArgumentException("is not a usable tokenizer: token id " + json);
    }
    return id;
  }

  /// The ids of a text, int[T]; nothing is added at either end.
  ///
  /// The texts of special tokens become those tokens, as a rendered template needs. A lone half of
  /// a surrogate pair, which no encoding can hold, reads as U+FFFD.
  public int[] encode(String text) {
    if (text.isEmpty()) return new int[0];
    checkOpen();
    long encoding = NATIVE.encode(handle, wellFormed(text), false);
    try {
      long[] wide = NATIVE.getTokenIds(encoding);
      int[] out = new int[wide.length];
      for (int i = 0; i < out.length; i++) out[i] = (int) wide[i];
      return out;
    } finally {
      NATIVE.deleteEncoding(encoding);
    }
  }

  /// The text of the ids, special tokens included as their text. Bytes that are not UTF-8 read as
  /// U+FFFD.
  public String decode(int... ids) {
    if (ids.length == 0) return "";
    checkOpen();
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= tokens.length) {
        throw new IllegalArgumentException(
            "token id %d is outside the vocabulary of %d".formatted(ids[i], tokens.length));
      }
      wide[i] = ids[i];
    }
    return NATIVE.decode(handle, wide, false);
  }

  /// A decoder for ids that arrive one by one.
  public StreamingDecoder streaming() {
    return new StreamingDecoder(this);
  }

  /// How many ids there are: the largest plus one.
  public int size() {
    return tokens.length;
  }

  /// The id of a token as the file spells it (`<|end|>`, or `Ġthe` for " the"), or null.
  public @Nullable Integer id(String token) {
    return ids.get(token);
  }

  /// The texts of the special tokens, in the file's order.
  public List<String> specials() {
    return specials;
  }

  /// The exact bytes of one token, which may be a part of a character; empty for an unused id.
  public byte[] bytes(int id) {
    var token = tokens[id];
    if (token == null) return new byte[0];
    if (!specials.contains(token) && byteLevel) return ByteLevel.bytes(token);
    if (token.matches("<0x[0-9A-F]{2}>")) {
      return new byte[] {(byte) Integer.parseInt(token.substring(3, 5), 16)};
    }
    return token.replace('▁', ' ').getBytes(StandardCharsets.UTF_8);
  }

  private static String wellFormed(String text) {
    boolean lone = text.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF);
    if (!lone) return text;
    return new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
  }

  private void checkOpen() {
    if (closed) throw new IllegalStateException("the tokenizer is closed");
  }

  @Override
  public synchronized void close() {
    if (closed) return;
    closed = true;
    NATIVE.deleteTokenizer(handle);
  }
}

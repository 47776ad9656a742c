package dev.espalier.pretrain;

import dev.espalier.chat.ByteLevel;
import dev.espalier.chat.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A byte-level BPE vocabulary. Ids: the special tokens, then the 256 bytes, then one id a merge.
///
/// @param specials special tokens as they are written in text
/// @param merges pairs of ids, the earliest learned first
public record Vocabulary(List<String> specials, List<Merge> merges) {
  /// Two tokens that read as one.
  public record Merge(int left, int right) {}

  /// How text is cut before merging; merges never cross a cut.
  ///
  /// Differs from GPT-2's and Qwen's so that a value reads alike wherever it stands, which makes
  /// copying it easy: digits one by one, never with a space; only a space glues to a word, never an
  /// underscore or a quote; newlines apart from all else, so that a word after a newline and a
  /// space is the word after a space.
  public static final String CUTS =
      "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+"
          + "|[\\r\\n]+|[^\\S\\r\\n]+(?!\\S)|[^\\S\\r\\n]+";

  public Vocabulary {
    specials = List.copyOf(specials);
    merges = List.copyOf(merges);
  }

  /// How many ids there are.
  public int size() {
    return specials.size() + 256 + merges.size();
  }

  /// The tokens in order of their ids, spelled as `tokenizer.json` spells them.
  String[] tokens() {
    var tokens = new String[size()];
    int next = 0;
    for (var special : specials) tokens[next++] = special;
    for (int b = 0; b < 256; b++) tokens[next++] = String.valueOf(ByteLevel.character(b));
    for (var merge : merges) tokens[next++] = tokens[merge.left()] + tokens[merge.right()];
    return tokens;
  }

  /// Writes `tokenizer.json` and `tokenizer_config.json`, as Hugging Face's libraries read them.
  ///
  /// @param dir the model folder, made if absent
  /// @param config the fields of `tokenizer_config.json` that are not about the vocabulary
  public void write(Path dir, ObjectNode config) {
    try {
      Files.createDirectories(dir);
      Files.writeString(dir.resolve("tokenizer.json"), pretty(tokenizer()));
      var all = Json.object().put("tokenizer_class", "PreTrainedTokenizerFast");
      all.put("clean_up_tokenization_spaces", false).setAll(config);
      Files.writeString(dir.resolve("tokenizer_config.json"), pretty(all));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the tokenizer to " + dir, e);
    }
  }

  private static String pretty(ObjectNode json) {
    return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
  }

  /// The content of `tokenizer.json`.
  public ObjectNode tokenizer() {
    var json = Json.object().put("version", "1.0").putNull("truncation").putNull("padding");
    var added = json.putArray("added_tokens");
    for (int id = 0; id < specials.size(); id++) added(added, id, specials.get(id));
    json.putNull("normalizer");
    var cuts = json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    var split = cuts.addObject().put("type", "Split");
    split.putObject("pattern").put("Regex", CUTS);
    split.put("behavior", "Isolated").put("invert", false);
    byteLevel(cuts.addObject());
    json.putNull("post_processor");
    byteLevel(json.putObject("decoder"));
    var model = json.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token");
    model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
    var tokens = tokens();
    var ids = model.putObject("vocab");
    for (int id = 0; id < tokens.length; id++) ids.put(tokens[id], id);
    var pairs = model.putArray("merges");
    for (var m : merges) pairs.addArray().add(tokens[m.left()]).add(tokens[m.right()]);
    return json;
  }

  private static void added(ArrayNode tokens, int id, String text) {
    var token = tokens.addObject().put("id", id).put("content", text).put("special", true);
    token.put("single_word", false).put("lstrip", false).put("rstrip", false);
    token.put("normalized", false);
  }

  private static void byteLevel(ObjectNode json) {
    json.put("type", "ByteLevel").put("add_prefix_space", false);
    json.put("trim_offsets", false).put("use_regex", false);
  }
}

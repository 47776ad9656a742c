package dev.espalier.model;

import static dev.espalier.model.SafetensorsFile.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Files that are cut short or lie about themselves: each is refused with one line that names the
/// file and what is wrong, before anything is allocated by what it claims.
final class SafetensorsHostileTest {
  private static final String FOUR = entry("F32", "[4]", 0, 16);

  @TempDir private Path folder;

  /// What is wrong, the header, the bytes of data after it, what the message must say.
  static Stream<Arguments> lyingHeaders() {
    return Stream.of(
        arguments("not JSON", "not json at all", 0, "not JSON"),
        arguments("JSON cut short", "{\"w\":{\"dtype\":\"F32\",", 0, "not JSON"),
        arguments("an array", "[1,2]", 0, "not a JSON object"),
        arguments("a string", "\"weights\"", 0, "not a JSON object"),
        arguments("something after the object", "{} {}", 0, "not JSON"),
        arguments("nested without end", "{\"a\":".repeat(100_000), 0, "not JSON"),
        arguments("a name twice", "{\"w\":%s,\"w\":%s}".formatted(FOUR, FOUR), 16, "\"w\""),
        arguments("a tensor that is a number", "{\"w\":5}", 0, "w"),
        arguments("no dtype", "{\"w\":{\"shape\":[4],\"data_offsets\":[0,16]}}", 16, "dtype"),
        arguments("no shape", "{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", 16, "shape"),
        arguments("no offsets", "{\"w\":{\"dtype\":\"F32\",\"shape\":[4]}}", 16, "outside"),
        arguments(
            "a dtype that is not one", "{\"w\":" + entry("F99", "[4]", 0, 16) + "}", 16, "F99"),
        arguments(
            "a type of whole numbers", "{\"w\":" + entry("I64", "[2]", 0, 16) + "}", 16, "I64"),
        arguments("a wider type", "{\"w\":" + entry("F64", "[4]", 0, 16) + "}", 16, "F64"),
        arguments(
            "a narrower type", "{\"w\":" + entry("BF16", "[4]", 0, 16) + "}", 16, "needs 8 bytes"),
        arguments(
            "more rows than data", "{\"w\":" + entry("F32", "[5]", 0, 16) + "}", 16, "needs 20"),
        arguments("a negative size", "{\"w\":" + entry("F32", "[-4]", 0, 16) + "}", 16, "shape"),
        arguments("a broken size", "{\"w\":" + entry("F32", "[2.5]", 0, 16) + "}", 16, "shape"),
        arguments(
            "a size in quotes", "{\"w\":" + entry("F32", "[\"4\"]", 0, 16) + "}", 16, "shape"),
        arguments(
            "a size beyond long",
            "{\"w\":" + entry("F32", "[99999999999999999999]", 0, 16) + "}",
            16,
            "shape"),
        arguments(
            "a size that wraps to 0",
            "{\"w\":" + entry("F32", "[4294967296,4294967296]", 0, 0) + "}",
            0,
            "too large"),
        arguments(
            "a size that wraps, then 0",
            "{\"w\":" + entry("F32", "[4294967296,4294967296,0]", 0, 16) + "}",
            16,
            "w"),
        arguments(
            "an end past the file", "{\"w\":" + entry("F32", "[8]", 0, 32) + "}", 16, "outside"),
        arguments(
            "a begin past the file", "{\"w\":" + entry("F32", "[0]", 99, 99) + "}", 16, "outside"),
        arguments(
            "an end past every file",
            "{\"w\":" + entry("F32", "[4]", 0, Long.MAX_VALUE) + "}",
            16,
            "outside"),
        arguments("a begin below 0", "{\"w\":" + entry("F32", "[4]", -16, 0) + "}", 16, "outside"),
        arguments(
            "an end before its begin", "{\"w\":" + entry("F32", "[4]", 16, 0) + "}", 16, "outside"),
        arguments(
            "one offset",
            "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16]}}",
            16,
            "outside"),
        arguments(
            "three offsets",
            "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16,16]}}",
            16,
            "outside"),
        arguments(
            "offsets in quotes",
            "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[\"0\",\"16\"]}}",
            16,
            "outside"),
        arguments(
            "offsets that are no whole numbers",
            "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0.4,16.4]}}",
            16,
            "outside"),
        arguments(
            "two tensors on one place",
            "{\"a\":%s,\"b\":%s}".formatted(FOUR, FOUR),
            16,
            "overlaps"),
        arguments(
            "two that share four bytes",
            "{\"a\":%s,\"b\":%s}".formatted(FOUR, entry("F32", "[4]", 12, 28)),
            28,
            "overlaps"),
        arguments(
            "one inside another",
            "{\"a\":%s,\"b\":%s}".formatted(FOUR, entry("F32", "[1]", 4, 8)),
            16,
            "overlaps"),
        arguments(
            "a gap between two",
            "{\"a\":%s,\"b\":%s}".formatted(FOUR, entry("F32", "[1]", 20, 24)),
            24,
            "gap"),
        arguments(
            "bytes before the first", "{\"a\":" + entry("F32", "[4]", 4, 20) + "}", 20, "gap"),
        arguments(
            "bytes after the last", "{\"a\":" + FOUR + "}", 20, "4 bytes belong to no tensor"),
        arguments("data but no tensor", "{}", 8, "8 bytes belong to no tensor"),
        arguments(
            "notes that are no object",
            "{\"__metadata__\":[1],\"w\":" + FOUR + "}",
            16,
            "__metadata__"),
        arguments(
            "notes that are no text",
            "{\"__metadata__\":{\"a\":{\"b\":1}},\"w\":" + FOUR + "}",
            16,
            "__metadata__"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("lyingHeaders")
  void aLyingHeaderIsRefused(String what, String header, int dataBytes, String says) {
    refused(SafetensorsFile.of(header, dataBytes).in(folder), says);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 1_000_000, 67})
  void aLengthThatIsNotTheHeadersIsRefused(long claimed) {
    refused(SafetensorsFile.of("{\"w\":" + FOUR + "}", 0).claiming(claimed).in(folder), "");
  }

  @Test
  void aFileCutAnywhereIsRefused() {
    var sound = SafetensorsFile.vector(1, 2, 3, 4);
    int size = sound.bytes().length;
    for (int length = 0; length < size; length++) refused(sound.cutAt(length, folder), "");
    assertThat(Safetensors.open(sound.cutAt(size, folder)).names()).containsExactly("w");
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefused() {
    var header = "{\"w?\":%s}".formatted(FOUR).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    header[3] = (byte) 0xff;
    refused(new SafetensorsFile(header.length, header, new byte[16]).in(folder), "not JSON");
  }

  /// A sparse file that is as large as it says costs nothing to send and must cost nothing to open.
  @Test
  void aHeaderBombIsRefusedUnread() throws IOException {
    var bomb = folder.resolve("model.safetensors");
    long header = 64L << 30;
    try (var file = new RandomAccessFile(bomb.toFile(), "rw")) {
      var length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header);
      file.write(length.array());
      file.setLength(8 + header);
    }
    assertTimeoutPreemptively(Duration.ofSeconds(5), () -> refused(bomb, "header"));
  }

  @Test
  void aFileThatIsNotThereOrAFolderIsRefused() throws IOException {
    refused(folder.resolve("absent.safetensors"), "absent.safetensors");
    refused(Files.createDirectory(folder.resolve("folder.safetensors")), "folder.safetensors");
  }

  private static void refused(Path file, String says) {
    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(file.getFileName().toString())
        .hasMessageContaining(says)
        .message()
        .doesNotContain("\n")
        .hasSizeLessThan(600);
  }
}

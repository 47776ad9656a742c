package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackedTest {
  private static final String BY_JAVACPP = "org.bytedeco.javacpp.loadLibraries";

  @TempDir private Path cache = Path.of("");

  @Test
  void withoutAListJavaCppLoads() {
    assertThat(new Unpacked(cache).load()).isFalse();
  }

  @Test
  void aListOfWhatIsNoMoreIsLeftToJavaCpp() throws IOException {
    var before = System.getProperty(BY_JAVACPP);
    try {
      Files.writeString(cache.resolve("gone.so"), "half a library");
      var unpacked = new Unpacked(cache);
      Files.write(unpacked.list(), List.of(cache.resolve("gone.so").toAbsolutePath().toString()));
      assertThat(unpacked.load()).isFalse();
      assertThat(System.getProperty(BY_JAVACPP)).isNull();
    } finally {
      if (before == null) System.clearProperty(BY_JAVACPP);
      else System.setProperty(BY_JAVACPP, before);
    }
  }
}

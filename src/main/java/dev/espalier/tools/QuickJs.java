package dev.espalier.tools;

import dev.espalier.chat.Json;
import dev.espalier.tools.Outcome.Failed;
import dev.espalier.tools.Outcome.Finished;
import dev.espalier.tools.Outcome.Kind;
import io.roastedroot.quickjs4j.core.JavyPluginModule;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import run.endive.runtime.ByteArrayMemory;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Instance;
import run.endive.runtime.Memory;
import run.endive.runtime.TrapException;
import run.endive.runtime.WasmInterruptedException;
import run.endive.wasi.WasiOptions;
import run.endive.wasi.WasiPreview1;
import run.endive.wasm.WasmEngineException;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.MemoryLimits;
import run.endive.wasm.types.ValType;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/// QuickJS as WebAssembly, compiled to the JVM's bytecode: for each run an instance with a memory
/// of its own.
///
/// What the module imports is all that code can reach of the host: two streams, which are captured
/// here, an empty environment, a clock that stands still and random numbers of one seed, so that an
/// outcome is a function of the code. It imports nothing that opens a file or a socket.
final class QuickJs {
  private static final String HARNESS = read("sandbox.js");
  private static final int ALIGNMENT = 1;
  private static final long NOW = Instant.parse("2026-01-01T00:00:00Z").getEpochSecond();

  /// Required by the module; the harness leaves code no way to it.
  private static final HostFunction NO_CALLS =
      new HostFunction(
          "endive",
          "invoke",
          FunctionType.of(Collections.nCopies(6, ValType.I32), List.of(ValType.I32)),
          (instance, arguments) -> {
            throw new TrapException("code called a function of the host");
          });

  /// Stands still for every one of WASI's clocks, and so does the seed of `Math.random` with it.
  private static final HostFunction CLOCK =
      new HostFunction(
          "wasi_snapshot_preview1",
          "clock_time_get",
          FunctionType.of(List.of(ValType.I32, ValType.I64, ValType.I32), List.of(ValType.I32)),
          (instance, arguments) -> {
            instance.memory().writeLong((int) arguments[2], TimeUnit.SECONDS.toNanos(NOW));
            return new long[] {0};
          });

  private QuickJs() {}

  private static String read(String name) {
    try (var in = Objects.requireNonNull(QuickJs.class.getResourceAsStream(name), name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name, e);
    }
  }

  /// Runs a request on the calling thread, which an interrupt sets free.
  ///
  /// @param request its `code`, and with `function` and `arguments` also what to call then
  static Outcome run(ObjectNode request, SandboxLimits limits) {
    var output = new CappedOutput("printed", limits.outputBytes());
    var report = new CappedOutput("returned or thrown", limits.outputBytes());
    try {
      evaluate(request, limits, output, report);
    } catch (WasmInterruptedException e) {
      var message = "it took more than %d ms".formatted(limits.time().toMillis());
      return new Failed(Kind.TIME, message, output.text());
    } catch (CappedOutput.Exceeded e) {
      return new Failed(Kind.OUTPUT, e.told(), output.text());
    } catch (TrapException e) {
      return trapped(e.getMessage() + "\n" + report.text(), output.text());
    } catch (WasmEngineException | StackOverflowError e) {
      // the stack ends at address 0, so that one too deep leaves the memory
      return new Failed(Kind.ERROR, "the recursion is too deep", output.text());
    }
    return reported(report.text(), output.text());
  }

  private static void evaluate(
      ObjectNode request, SandboxLimits limits, CappedOutput output, CappedOutput report) {
    var options =
        WasiOptions.builder()
            .withStdin(InputStream.nullInputStream(), false)
            .withStdout(output, false)
            .withStderr(report, false)
            .withRandom(new Random(0));
    try (var wasi = WasiPreview1.builder().withOptions(options.build()).build()) {
      var imports = ImportValues.builder().addFunction(NO_CALLS, CLOCK);
      for (var function : wasi.toHostFunctions()) {
        if (!function.name().equals(CLOCK.name())) imports.addFunction(function);
      }
      var instance =
          Instance.builder(JavyPluginModule.load())
              .withMachineFactory(JavyPluginModule::create)
              .withMemoryFactory(own -> memory(own, limits.memoryBytes()))
              .withImportValues(imports.build())
              .build();
      instance.export("initialize_runtime").apply();
      var source = "const REQUEST = %s;\n%s".formatted(Json.write(request.toString()), HARNESS);
      evaluate(instance, source.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static Memory memory(MemoryLimits own, long bytes) {
    int pages = (int) Math.min(own.maximumPages(), bytes / Memory.PAGE_SIZE);
    return new ByteArrayMemory(new MemoryLimits(own.initialPages(), pages));
  }

  private static void evaluate(Instance instance, byte[] source) {
    int at = (int) instance.export("cabi_realloc").apply(0, 0, ALIGNMENT, source.length)[0];
    if (at == 0) throw new TrapException("out of memory");
    instance.memory().write(at, source);
    int compiled = (int) instance.export("compileSrc").apply(at, source.length)[0];
    int start = instance.memory().readInt(compiled);
    int length = instance.memory().readInt(compiled + 4);
    instance.export("eval").apply(start, length, 0, 0);
  }

  private static Outcome trapped(String panic, String output) {
    boolean full = panic.contains("out of memory") || panic.contains("memory allocation of");
    if (full) return new Failed(Kind.MEMORY, "out of memory", output);
    return new Failed(Kind.ERROR, ("the engine stopped: " + panic).strip(), output);
  }

  private static Outcome reported(String report, String output) {
    if (report.isEmpty()) {
      return new Failed(Kind.ERROR, "it waits for a promise that nothing settles", output);
    }
    try {
      var json = Json.parse(report);
      if (!json.has("error")) return new Finished(output, json.get("value"));
      var error = withoutHarness(json.path("error").asString());
      boolean full = error.startsWith("InternalError: out of memory");
      return new Failed(full ? Kind.MEMORY : Kind.ERROR, error, output);
    } catch (JacksonException e) {
      return new Failed(Kind.ERROR, "its value is nested too deeply", output);
    }
  }

  private static String withoutHarness(String trace) {
    var own = trace.lines().filter(it -> !it.contains("function.mjs") && !it.endsWith("(native)"));
    return String.join("\n", own.toList()).strip();
  }
}

package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.chat.Json;
import dev.espalier.tools.Outcome.Failed;
import dev.espalier.tools.Outcome.Finished;
import dev.espalier.tools.Outcome.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What hostile code tries, and that it comes to an end with nothing gained.
@Timeout(300)
@Execution(ExecutionMode.CONCURRENT)
final class SandboxEscapeTest {
  private static final int OUTPUT = 4000;
  private static final JavaScriptSandbox BRIEF = sandbox(Duration.ofMillis(500));
  private static final JavaScriptSandbox PATIENT = sandbox(Duration.ofMinutes(2));

  private static JavaScriptSandbox sandbox(Duration time) {
    return new JavaScriptSandbox(new SandboxLimits(time, 16 << 20, OUTPUT));
  }

  private static void fails(JavaScriptSandbox sandbox, Kind kind, String code) {
    assertThat(sandbox.run(code))
        .isInstanceOfSatisfying(
            Failed.class,
            failed -> {
              assertThat(failed.kind()).as(failed.message()).isEqualTo(kind);
              assertThat(failed.output()).hasSizeLessThanOrEqualTo(OUTPUT);
            });
    assertThat(PATIENT.run("1 + 1")).isEqualTo(new Finished("", Json.parse("2")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "while (true) {}",
        "for (;;) { try { for (;;) {} } catch {} finally { continue } }",
        "/(a+)+$/.test('a'.repeat(60) + 'b')",
        "'xyz'.split('').sort(() => { for (;;) {} })",
        "new Array(1e9) + ''",
        "(function again() { Promise.resolve().then(again) })()",
        "({ toJSON() { for (;;) {} } })",
        "new Proxy({}, { ownKeys() { for (;;) {} } })",
        "({ get then() { for (;;) {} } })",
        "throw { toString() { for (;;) {} }, toJSON() { throw 1 } }",
        "console.log({ toString() { for (;;) {} }, toJSON() { throw 1 } })",
        "const end = Date.now() + 1e12; while (Date.now() < end);",
        "[...(function* () { for (;;) yield* [] })()]",
      })
  void anEndlessLoopRunsOutOfTime(String code) {
    fails(BRIEF, Kind.TIME, code);
  }

  @Test
  void calledTogetherAllShareTheTime() {
    var one = Json.array();
    assertThat(BRIEF.call("function f() { for (;;) {} }", "f", List.of(one, one, one, one)))
        .hasSize(4)
        .allMatch(it -> it instanceof Failed failed && failed.kind() == Kind.TIME);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "const all = []; for (;;) all.push(new Array(10000).fill(all.length))",
        "let text = 'ab'; for (;;) text = (text + text).toUpperCase()",
        "'x'.repeat(1e9)",
        "new ArrayBuffer(1e9)",
        "new Uint8Array(1e9)",
        "const all = new Map(); for (let i = 0; ; i++) all.set('key' + i, 'x'.repeat(1000) + i)",
        "const all = []; for (;;) { const f = () => f; all.push(new Array(1000).fill(f)) }",
        "new Array(5e6).fill(0).map(() => ({}))",
      })
  void aMemoryBombRunsOutOfMemory(String code) {
    fails(PATIENT, Kind.MEMORY, code);
  }

  @Test
  void codeLargerThanTheMemoryRunsOutOfIt() {
    fails(PATIENT, Kind.MEMORY, "1 //" + "x".repeat(20 << 20));
  }

  @Test
  void memoryThatCodeDoesWithoutAfterAllIsItsOwnAffair() {
    var code = "let s = []; try { for (;;) s.push(new Array(9999).fill(1)) } catch { s = 7 } s";
    assertThat(PATIENT.run(code)).isEqualTo(new Finished("", Json.parse("7")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "const line = 'x'.repeat(1000); for (let i = 0; i < 1e7; i++) console.log(line)",
        "for (;;) try { console.error('again') } catch {}",
        "console.log('€'.repeat(1e6))",
        "console.log(new Array(1e5).fill('x'))",
        "'x'.repeat(1e6)",
        "new Array(1e5).fill(0)",
        "throw new Error('x'.repeat(1e6))",
        "throw 'x'.repeat(1e6)",
      })
  void printingOrReturningWithoutEndIsStopped(String code) {
    fails(PATIENT, Kind.OUTPUT, code);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(function deeper(n) { return 1 + deeper(n + 1) })(0)",
        "function deeper(n) { try { deeper(n + 1) } finally { deeper(n + 1) } } deeper(0)",
        "const o = { get deeper() { return this.deeper } }; o.deeper",
        "JSON.parse('['.repeat(1e5))",
        "new RegExp('('.repeat(1e5))",
        "let nested = 1; for (let i = 0; i < 1500; i++) nested = [nested]; nested",
      })
  void tooDeepARecursionIsAnError(String code) {
    fails(PATIENT, Kind.ERROR, code);
  }

  @Test
  void codeNestedTooDeeplyIsAnError() {
    fails(PATIENT, Kind.ERROR, "(".repeat(100_000));
    fails(PATIENT, Kind.ERROR, "[".repeat(100_000) + "]".repeat(100_000));
  }

  /// All that code finds is the language, a console, and text as bytes.
  @Test
  void theGlobalsAreThoseOfTheLanguage() {
    var outcome =
        PATIENT.run(
            """
            const known = new Set(('Object Function Error EvalError RangeError ReferenceError '
              + 'SyntaxError TypeError URIError InternalError AggregateError SuppressedError Iterator '
              + 'Array parseInt parseFloat isNaN isFinite queueMicrotask decodeURI decodeURIComponent '
              + 'encodeURI encodeURIComponent escape unescape Infinity NaN undefined eval Number '
              + 'Boolean String Math Reflect Symbol DisposableStack AsyncDisposableStack globalThis '
              + 'BigInt Date RegExp JSON Proxy Map Set WeakMap WeakSet WeakRef FinalizationRegistry '
              + 'ArrayBuffer SharedArrayBuffer Atomics Uint8ClampedArray Int8Array Uint8Array '
              + 'Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array '
              + 'Float16Array Float32Array Float64Array DataView Promise TextDecoder TextEncoder '
              + 'console').split(' '));
            Reflect.ownKeys(globalThis).filter(name => !known.has(name)).map(String)
            """);
    assertThat(outcome).isEqualTo(new Finished("", Json.parse("[\"Symbol(Symbol.toStringTag)\"]")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Java.type('java.lang.System').exit(1)",
        "java.lang.System.exit(1)",
        "Packages.java.lang.Runtime.getRuntime()",
        "Polyglot.eval('java', '')",
        "java_invoke('module', 'function', '[]')",
        "Function('return java_invoke')()('module', 'function', '[]')",
        "(0, eval)('java_invoke')('module', 'function', '[]')",
        "Javy.IO.writeSync(2, new Uint8Array(8))",
        "quickjs4j_engine.args()",
        "plugin.invoke()",
        "require('fs')",
        "process.env.PATH",
        "fetch('http://localhost:7700/')",
        "new XMLHttpRequest()",
        "new WebSocket('ws://localhost')",
        "new Worker('x.js')",
        "std.getenv('PATH')",
        "std.loadFile('/etc/passwd')",
        "os.exec(['id'])",
        "os.readdir('/')",
        "load('/etc/passwd')",
        "WebAssembly.compile(new Uint8Array(8))",
        "setTimeout(() => 1, 1)",
      })
  void noWayToTheHostHasAName(String code) {
    var outcome = PATIENT.run(code);
    assertThat(((Failed) outcome).message()).startsWith("ReferenceError").contains("not defined");
  }

  @Test
  void nothingIsImported(@TempDir Path folder) throws Exception {
    var file = Files.writeString(folder.resolve("secret.js"), "export const secret = 42");
    for (var module :
        List.of(
            "std",
            "os",
            "qjs:std",
            "fs",
            "node:fs",
            "/etc/passwd",
            "http://localhost/x.js",
            file.toString(),
            file.toUri().toString(),
            "./function.mjs",
            "plugin")) {
      fails(
          PATIENT, Kind.ERROR, "import('%s').then(it => it.secret ?? 'loaded')".formatted(module));
      fails(PATIENT, Kind.ERROR, "import * as it from '%s'; it".formatted(module));
    }
  }

  /// The function that runs the code has its request at hand, the code has none of it.
  @Test
  void theCallerIsOutOfReach() {
    for (var name : List.of("REQUEST", "request", "report", "script", "log", "parse")) {
      assertThat(PATIENT.run("typeof " + name))
          .isEqualTo(new Finished("", Json.parse("\"undefined\"")));
    }
    fails(PATIENT, Kind.ERROR, "(function f() { return f.caller.toString() })()");
    fails(PATIENT, Kind.ERROR, "(function f() { return arguments.callee.caller.arguments })()");
  }
}

package dev.espalier.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.chat.Json;
import dev.espalier.tools.Outcome.Failed;
import dev.espalier.tools.Outcome.Finished;
import dev.espalier.tools.Outcome.Kind;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ArrayNode;

/// What code comes to: its output and value, or what is wrong with it.
@Timeout(300)
final class JavaScriptSandboxTest {
  private static final JavaScriptSandbox SANDBOX =
      new JavaScriptSandbox(new SandboxLimits(Duration.ofMinutes(1), 16 << 20, 4000));

  private static Finished finished(String code) {
    var outcome = SANDBOX.run(code);
    assertThat(outcome).isInstanceOf(Finished.class);
    return (Finished) outcome;
  }

  private static String error(Outcome outcome) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Failed.class, failed -> assertThat(failed.kind()).isEqualTo(Kind.ERROR));
    return ((Failed) outcome).message();
  }

  private static Outcome call(String code, String arguments) {
    return SANDBOX.call(code, "f", List.of((ArrayNode) Json.parse(arguments))).getFirst();
  }

  @Test
  void printsAndComesToTheValueOfTheLastExpression() {
    var outcome =
        finished("console.log('a', 1, [2, {b: 3}], null, undefined, 4n); const x = 6; x * 7");
    assertThat(outcome.output()).isEqualTo("a 1 [2,{\"b\":3}] null undefined 4n\n");
    assertThat(outcome.value()).isEqualTo(Json.parse("42"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "(a, b) => a + b                         | [1, 2]         | 3",
        "text => text.toUpperCase() + '\\u2028é😀' | [\"é\\\"\\n\"] | \"É\\\"\\n\\u2028é😀\"",
        "(...all) => all.length                  | []             | 0",
        "o => o.__proto__                        | [{\"__proto__\": 5}] | 5",
        "x => ({x, y: undefined, z: [x]})        | [null]         | {\"x\": null, \"z\": [null]}",
        "async x => { await null; return x }     | [[1]]          | [1]",
        "x => new Promise(done => done(x))       | [true]         | true",
        "x => x / 4                              | [1]            | 0.25",
      })
  void callsAFunctionWithJsonAndReturnsJson(String function, String arguments, String value) {
    assertThat(call("const f = " + function, arguments))
        .isEqualTo(new Finished("", Json.parse(value)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "undefined",
        "NaN",
        "[1, Infinity]",
        "10n",
        "() => 1",
        "Symbol('s')",
        "(a => a.push(a) && a)([])",
        "({ toJSON() { throw 1 } })",
        "new Proxy({}, { ownKeys() { throw 1 } })",
      })
  void aValueThatIsNotJsonIsNone(String value) {
    assertThat(finished("(" + value + ")").value()).isNull();
    assertThat(call("const f = () => " + value, "[]")).isEqualTo(new Finished("", null));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "throw new RangeError('too far')                   | RangeError: too far",
        "let x = ;                                         | SyntaxError",
        "nothing.here                                      | ReferenceError",
        "throw null                                        | null was thrown",
        "throw undefined                                   | undefined was thrown",
        "throw {a: 1}                                      | {\"a\":1} was thrown",
        "throw Symbol('s')                                 | Symbol(s) was thrown",
        "throw {toString() { throw 1 }, toJSON() { throw 1 }} | cannot be shown was thrown",
        "throw Object.create(null, {})                     | {} was thrown",
        "throw Object.defineProperty(new Error('e'), 'stack', {get() { throw 1 }}) | Error: e",
        "throw new Proxy(Error, {get() { throw 1 }})       | was thrown",
        "Promise.reject(new TypeError('late'))             | TypeError: late",
        "new Promise(() => {})                             | nothing settles",
        "({then() {}})                                     | nothing settles",
      })
  void whatIsThrownIsTold(String code, String message) {
    assertThat(error(SANDBOX.run("console.log('before');\n" + code + " "))).contains(message);
  }

  @Test
  void anErrorSaysWhereItIsInTheCode() {
    var message = error(SANDBOX.run("function f() {\n  null.x;\n}\nf();"));
    assertThat(message).contains("f (<input>:2", "<input>:4").doesNotContain("function.mjs");
  }

  @Test
  void whatWasPrintedBeforeAFailureIsKept() {
    assertThat(SANDBOX.run("console.log('so far'); throw 1").output()).isEqualTo("so far\n");
  }

  @Test
  void aFunctionThatIsMissingOrHiddenByBrokenCodeIsAnError() {
    assertThat(error(call("const g = 1", "[]"))).contains("ReferenceError");
    assertThat(error(call("const f = 1", "[]"))).contains("TypeError");
    assertThat(error(call("const f = () => 1 /*", "[]"))).contains("SyntaxError");
    assertThat(call("const f = () => 1 // no more", "[]"))
        .isEqualTo(new Finished("", Json.parse("1")));
    assertThatThrownBy(() -> SANDBOX.call("", "f(), g", List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /// The value is what the function returned, whatever the code did to what reports it.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "JSON.stringify = () => '6'",
        "JSON.parse = () => ({arguments: [], function: 'g'})",
        "globalThis.JSON = null",
        "Object.defineProperty(globalThis, 'JSON', {get() { throw 1 }})",
        "console.error = console.log = () => {}",
        "globalThis.console = null",
        "Reflect.apply = () => 6",
        "Function.prototype.apply = Function.prototype.call = () => 6",
        "Array.prototype[Symbol.iterator] = function* () { yield 6 }",
        "Array.prototype.map = Array.prototype.join = () => '6'",
        "Promise.prototype.then = function (done) { done(6) }",
        "globalThis.eval = globalThis.String = () => '6'",
        "Object.freeze(globalThis)",
        "Error.prepareStackTrace = () => '6'",
      })
  void whatCodeOverwritesDoesNotChangeWhatItReturns(String mischief) {
    assertThat(call(mischief + "; function f(x) { return x + 4 }", "[1]"))
        .isEqualTo(new Finished("", Json.parse("5")));
  }

  @Test
  void aCallKnowsNothingOfTheOnesBefore() {
    var code = "globalThis.seen ??= 0; function f() { return ++seen }";
    var one = Json.array();
    assertThat(SANDBOX.call(code, "f", List.of(one, one, one)))
        .hasSize(3)
        .allMatch(new Finished("", Json.parse("1"))::equals);
    finished("globalThis.left = 1; Array.prototype.left = 1");
    assertThat(finished("typeof left + typeof [].left").value())
        .isEqualTo(Json.parse("\"undefinedundefined\""));
  }

  @Test
  void theSameCodeComesToTheSame() {
    var code = "[Date.now(), new Date().toString(), Math.random(), Math.random()]";
    assertThat(finished(code)).isEqualTo(finished(code));
  }

  @Test
  void manyVirtualThreadsRunAtOnce() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var runs =
          threads.invokeAll(
              IntStream.range(0, 24)
                  .mapToObj(
                      i -> (Callable<Outcome>) () -> SANDBOX.run("console.log(%d)".formatted(i)))
                  .toList());
      for (int i = 0; i < 24; i++) {
        assertThat(runs.get(i).get().output()).isEqualTo(i + "\n");
      }
    }
  }

  @Test
  void anInterruptedCallerAbandonsTheRunAndNothingIsHeld() throws Exception {
    for (int i = 0; i <= Runtime.getRuntime().availableProcessors(); i++) {
      var caller =
          Thread.ofVirtual()
              .unstarted(() -> {
                assertThatThrownBy(() -> SANDBOX.run("while (true) {}"))
                    .isInstanceOf(IllegalStateException.class);
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
              });
      var failure = new Throwable[1];
      caller.setUncaughtExceptionHandler((thread, thrown) -> failure[0] = thrown);
      caller.start();
      Thread.sleep(50);
      caller.interrupt();
      caller.join();
      assertThat(failure[0]).isNull();
    }
    assertThat(finished("1").value()).isEqualTo(Json.parse("1"));
  }

  @Test
  void limitsRefuseNonsense() {
    for (var make :
        List.<Callable<SandboxLimits>>of(
            () -> new SandboxLimits(Duration.ZERO, 16 << 20, 1),
            () -> new SandboxLimits(Duration.ofSeconds(1), 1 << 20, 1),
            () -> new SandboxLimits(Duration.ofSeconds(1), 1L << 40, 1),
            () -> new SandboxLimits(Duration.ofSeconds(1), 16 << 20, 0))) {
      assertThatThrownBy(make::call).isInstanceOf(IllegalArgumentException.class);
    }
  }
}

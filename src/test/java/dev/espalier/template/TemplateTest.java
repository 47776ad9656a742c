package dev.espalier.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.LocalDateTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What the reference cannot say: where errors are, and that hostile templates end.
@Execution(ExecutionMode.CONCURRENT)
class TemplateTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 15, 12, 0);

  private static String render(String template, String variables) {
    return Template.compile(template).render((ObjectNode) JSON.readTree(variables), NOW);
  }

  private static TemplateException errorOf(String template) {
    var error = catchThrowableOfType(TemplateException.class, () -> render(template, "{}"));
    assertThat(error).as(template).isNotNull();
    return error;
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " || ",
      quoteCharacter = '`',
      value = {
        "a\\n {% nope %} || 2 || 5 || unknown tag 'nope'",
        "{{ x|nope }} || 1 || 6 || unknown filter 'nope'",
        "{{ x is nope }} || 1 || 9 || unknown test 'nope'",
        "{{ 1|pprint }} || 1 || 6 || the filter 'pprint' is not supported",
        "é{{ 1 + }} || 1 || 9 || expected an expression, found '}}'",
        "😀{{ 1 + }} || 1 || 9 || expected an expression, found '}}'",
        "\\n\\n{% if x %}\\n{% for y in z %} || 4 || 4 || 'for' is not closed",
        "{% for x in y %}{% endif %} || 1 || 20 || 'endif' closes nothing here",
        "{{ 'abc }} || 1 || 4 || a string is not closed",
        "a {# b || 1 || 3 || a comment is not closed: '#}' is missing",
        "{% raw %} {{ || 1 || 1 || 'raw' is not closed: '{% endraw %}' is missing",
        "{{ (1] }} || 1 || 6 || unexpected ']', expected ')'",
        "{% include 'x' %} || 1 || 4 || a chat template stands alone: it cannot use 'include'",
        "{% do x %} || 1 || 4 || unknown tag 'do'",
        "{{ '\\\\x4' }} || 1 || 4 || an escape in a string needs 2 hexadecimal digits",
      })
  void syntaxErrorsSayWhereAndWhatWhenCompiled(String template, int line, int column, String what) {
    var source = template.replace("\\n", "\n").replace("\\\\", "\\");
    var error = catchThrowableOfType(TemplateException.class, () -> Template.compile(source));
    assertThat(error).as(source).isNotNull();
    assertThat(error).hasMessage("line %d, column %d: %s", line, column, what);
    assertThat(error.line()).isEqualTo(line);
    assertThat(error.column()).isEqualTo(column);
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " || ",
      quoteCharacter = '`',
      value = {
        "a\\n\\n  {{ x.y }} || 3 || 8 || 'x' is undefined",
        "{{ {}.a.b }} || 1 || 9 || a value of type dict has no 'a'",
        "{{ 'a' + 1 }} || 1 || 8 || '+' does not apply to str and int",
        "{% for x in 5 %}{% endfor %} || 1 || 4 || a value of type int cannot be iterated",
        "{{ raise_exception('roles must alternate') }} || 1 || 4 || roles must alternate",
        "{{ nope(1) }} || 1 || 4 || 'nope' is undefined",
        "{% if true %}\\n{{ 1|nope }}{% endif %} || 2 || 6 || unknown filter 'nope'",
        "{% macro f() %}\\n{{ 1 // 0 }}{% endmacro %}{{ f() }} || 2 || 6 || division by zero",
        "{{ [1]|map('nope')|list }} || 1 || 8 || unknown filter 'nope'",
        "{{ 'a'|upper(1) }} || 1 || 8 || at most 0 arguments are possible here",
        "{{ 'a'|trim(nope='x') }} || 1 || 8 || there is no argument 'nope' here",
        "{{ 'a'.encode() }} || 1 || 8 || the method 'encode' of strings is not supported",
        "{{ cycler(1) }} || 1 || 4 || the function 'cycler' is not supported",
        "{{ strftime_now('%Q') }} || 1 || 4 || unknown directive in a time format: %Q",
        "{{ [1]|map('upper') }} || 1 || 8 || a value of type generator cannot be printed",
      })
  void runtimeErrorsSayWhereAndWhat(String template, int line, int column, String what) {
    assertThat(errorOf(template.replace("\\n", "\n")))
        .hasMessage("line %d, column %d: %s", line, column, what);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}",
        "{% macro f(n) %}{{ f(n) if true }}{{ [f(n)]|map('upper')|list }}{% endmacro %}{{ f(1) }}",
        "{{ range(10 ** 9)|list }}",
        "{{ range(10 ** 30) }}",
        "{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{{ 'x' * 10 ** 9 }}",
        "{{ 'x' * 10 ** 15 }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ ([0] * 100000) * 100000 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ 2 ** 99999999999 }}",
        "{{ 'x'.center(10 ** 9) }}",
        "{{ 'x'.zfill(10 ** 9) }}",
        "{{ '%9999s' % ('x' * 10) * 10000 }}",
        "{{ 'x'|indent(10 ** 9, true) * 1000 }}",
        "{{ ('x' * 10000).replace('', 'y' * 10000) }}",
        "{{ ('x' * 10000).replace('x', 'y' * 10000) }}",
        "{{ ('y' * 10000).join('x' * 10000) }}",
        "{{ ('x,' * 10000)|list|join('y' * 10000) }}",
        "{{ [1]|batch(10 ** 9, 0)|list }}",
        "{{ [1]|slice(10 ** 9)|list }}",
        "{{ '\t'.expandtabs(10 ** 9) }}",
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{{ 'x' * 10000 }}{% endfor %}",
        "{% set ns = namespace(x='x') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x='x') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(999) %}{% set ns.x = ns.x + ['x' * 1000000] %}{% endfor %}",
        "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=1) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=1) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}",
        "{% set ns = namespace(x=1, y=1) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
        "{% set ns = namespace(x=1, y=1) %}{% for i in range(99) %}{% set ns.x = (ns.x, ns.x) %}{% set ns.y = (ns.y, ns.y) %}{% endfor %}{{ ns.x < ns.y }}",
        "{% set x = 'x' * 4000000 %}{% for i in range(99999) %}{% if 'y' in x %}{% endif %}{% endfor %}",
        "{% set x = 'x' * 4000000 %}{% for i in range(99999) %}{% if x|length == 1 %}{% endif %}{% endfor %}",
        "{{ ('x' * 4000000).find('x' * 2000000 ~ 'y') }}",
        "{{ ('x' * 4000000).lstrip('y' * 4000000 ~ 'x') }}",
        "{{ dict(range(100000)|batch(2)) }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
        "{% for x in [[]] recursive %}{{ loop([[]]) }}{% endfor %}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(9999) %}{% set ns.g = ns.g|map('string') %}{% endfor %}{{ ns.g|list }}",
      })
  void hostileTemplatesEndInAnErrorSoon(String template) {
    long start = System.nanoTime();
    assertThat(errorOf(template)).hasMessageContaining("line 1, column");
    assertThat(System.nanoTime() - start).isLessThan(30_000_000_000L);
  }

  @Test
  void deepNestingIsAnErrorOfTheTemplate() {
    for (var template :
        new String[] {
          "{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}",
          "{{ " + "[".repeat(5000) + "]".repeat(5000) + " }}",
          "{{ " + "not ".repeat(5000) + "1 }}",
          "{{ " + "-".repeat(5000) + "1 }}",
          "{{ x" + "[x".repeat(5000) + "]".repeat(5000) + " }}",
          "{{ " + "1 if 1 else ".repeat(5000) + "1 }}",
          "{% if 1 %}".repeat(5000) + "{% endif %}".repeat(5000),
          "{% if 1 %}" + "{% elif 1 %}".repeat(5000) + "{% endif %}",
          "{% set " + "(".repeat(5000) + "a" + ")".repeat(5000) + " = 1 %}",
        }) {
      assertThat(errorOf(template)).hasMessageContaining("deep");
    }
  }

  @Test
  void longChainsAreFineOrAnErrorOfTheTemplate() {
    assertThat(render("{{ 1" + " + 1".repeat(500) + " }}", "{}")).isEqualTo("501");
    assertThat(errorOf("{{ 1" + " + 1".repeat(100_000) + " }}")).hasMessageContaining("deep");
  }

  @Test
  void deeplyNestedValuesAreAnErrorOfTheTemplate() {
    var variables = JSON.createObjectNode();
    var inner = variables;
    for (int i = 0; i < 100_000; i++) {
      inner = inner.putObject("x");
    }
    var template = Template.compile("{{ x|tojson }}");
    var error =
        catchThrowableOfType(TemplateException.class, () -> template.render(variables, NOW));
    assertThat(error).hasMessageContaining("deep");
  }

  @Test
  void carriageReturnsOfATemplateAreLineBreaks() {
    assertThat(render("a\r\n{% if x %}\r\nb\r{% endif %}\r\n{{ 'c\rd' }}\r\n", "{\"x\": 1}"))
        .isEqualTo("a\nb\nc\nd");
  }

  @Test
  void whatIsRenderedLeavesNoTrace() {
    var template = Template.compile("{% set x = x + 1 %}{{ x }}{{ strftime_now('%H') }}");
    var variables = JSON.createObjectNode().put("x", 1);
    assertThat(template.render(variables, NOW)).isEqualTo("212");
    assertThat(template.render(variables, NOW.plusHours(1))).isEqualTo("213");
    assertThat(variables).isEqualTo(JSON.createObjectNode().put("x", 1));
  }
}

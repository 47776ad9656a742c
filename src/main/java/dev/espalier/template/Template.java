package dev.espalier.template;

import java.time.LocalDateTime;
import tools.jackson.databind.node.ObjectNode;

/// A chat template, compiled once and rendered many times. Thread-safe.
///
/// The language is Jinja as Hugging Face's transformers sets it up, on Python's values: sandboxed,
/// `trim_blocks`, `lstrip_blocks`, `break` and `continue`, `{% generation %}`, `tojson` without
/// HTML escapes, `raise_exception` and `strftime_now`. What is not known is an error, never another
/// prompt than the reference would give.
public final class Template {
  private final Statement.Block template;

  private Template(Statement.Block template) {
    this.template = template;
  }

  /// Reads the Jinja text of a template.
  ///
  /// @throws TemplateException if it is not a template, or uses what this interpreter does not know
  public static Template compile(String source) {
    return new Template(StatementParser.parse(source));
  }

  /// Renders it with the variables of a request (`messages`, `tools`, `add_generation_prompt` ...).
  ///
  /// @param now what `strftime_now` reads
  /// @throws TemplateException if the template raises or does what Jinja forbids
  public String render(ObjectNode variables, LocalDateTime now) {
    try {
      return new Interpreter(now).render(template, JsonValues.scope(variables));
    } catch (Failure failure) {
      throw new TemplateException(1, 1, failure.what());
    } catch (StackOverflowError overflow) {
      throw new TemplateException(1, 1, "the template or its values nest too deeply");
    }
  }
}

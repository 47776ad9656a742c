package dev.espalier.template;

/// Text marked safe for HTML, and what becomes of other text that is joined with it.
///
/// No model reads HTML, yet templates say `| safe`, and `+` then escapes the other side.
final class Html {
  private Html() {}

  /// The text of a value, escaped unless it is safe already.
  static String escape(Object value) {
    return value instanceof Value.Markup markup ? markup.text() : escape(PythonText.str(value));
  }

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace(">", "&gt;")
        .replace("<", "&lt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }
}

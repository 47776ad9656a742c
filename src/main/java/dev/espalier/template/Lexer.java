package dev.espalier.template;

import dev.espalier.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/// Cuts a template into tokens, and applies Jinja's rules of white space around tags.
///
/// Those rules are the ones chat templates are written for: `trim_blocks` (a line break right after
/// a block or a comment goes) and `lstrip_blocks` (so does the indentation before one). A `-` at
/// the edge of a tag removes all white space on that side, a `+` keeps it.
final class Lexer {
  private final Source source;
  private final List<Token> tokens = new ArrayList<>();
  private int offset;

  /// Whether what came last ended a line, so that text up to the next tag is its indentation.
  private boolean lineStarting = true;

  private Lexer(Source source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    var lexer = new Lexer(new Source(template));
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (offset < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.text().substring(offset), offset);
        offset = source.length();
        break;
      }
      data(textBefore(tag), offset);
      offset = tag;
      switch (source.at(tag + 1)) {
        case '#' -> comment();
        case '{' -> tag(Kind.VARIABLE_BEGIN, "{{", Kind.VARIABLE_END, "}}");
        default -> {
          int body = rawBody(tag);
          if (body >= 0) {
            raw(body);
          } else {
            tag(Kind.BLOCK_BEGIN, "{%", Kind.BLOCK_END, "%}");
          }
        }
      }
    }
    add(Kind.END, "", source.length());
  }

  private int nextTag() {
    for (int at = source.text().indexOf('{', offset);
        at >= 0;
        at = source.text().indexOf('{', at + 1)) {
      char next = source.at(at + 1);
      if (next == '{' || next == '%' || next == '#') {
        return at;
      }
    }
    return -1;
  }

  /// The text from here to a tag, less the white space that the tag takes with it.
  private String textBefore(int tag) {
    var text = source.text().substring(offset, tag);
    char sign = source.at(tag + 2);
    if (sign == '-') {
      return Strip.right(text);
    }
    if (sign == '+' || source.at(tag + 1) == '{') {
      return text;
    }
    int line = text.lastIndexOf('\n') + 1;
    boolean indentation = line > 0 || lineStarting;
    return indentation && Strip.isBlank(text, line) ? text.substring(0, line) : text;
  }

  private void comment() {
    int end = source.text().indexOf("#}", offset + 2);
    if (end < 0) {
      throw source.position(offset).error("a comment is not closed: '#}' is missing");
    }
    char sign = end > offset + 2 ? source.at(end - 1) : '\0';
    offset = end + 2;
    afterTag(sign);
  }

  /// A tag with an expression or a statement inside.
  private void tag(Kind begin, String opening, Kind end, String closing) {
    int start = offset;
    add(begin, opening, start);
    offset += 2;
    if (source.at(offset) == '-' || source.at(offset) == '+') {
      offset++;
    }
    var words = new TagLexer(source, tokens, offset, closing);
    offset = words.run(start);
    char sign = words.sign();
    add(end, closing, offset);
    offset += (sign == '\0' ? 0 : 1) + 2;
    afterTag(end == Kind.VARIABLE_END && sign == '\0' ? '+' : sign);
  }

  /// What follows the end of a tag: `-` takes all white space, `+` nothing, else one line break.
  private void afterTag(char sign) {
    int end = offset;
    if (sign == '-') {
      offset = Strip.skip(source.text(), offset);
    } else if (sign != '+' && source.at(offset) == '\n') {
      offset++;
    }
    lineStarting = offset > end && source.at(offset - 1) == '\n';
  }

  /// Where the text of a `{% raw %}` that opens at `tag` begins, or -1 if it is another tag.
  private int rawBody(int tag) {
    int at = tag + 2;
    if (source.at(at) == '-' || source.at(at) == '+') {
      at++;
    }
    at = Strip.skip(source.text(), at);
    if (!source.has("raw", at)) {
      return -1;
    }
    at = Strip.skip(source.text(), at + 3);
    if (source.has("-%}", at)) {
      return Strip.skip(source.text(), at + 3);
    }
    return source.has("%}", at) ? at + 2 : -1;
  }

  private void raw(int body) {
    int opening = offset;
    offset = body;
    lineStarting = source.at(body - 1) == '\n';
    for (int tag = source.text().indexOf("{%", body);
        tag >= 0;
        tag = source.text().indexOf("{%", tag + 1)) {
      int word = tag + 2;
      if (source.at(word) == '-' || source.at(word) == '+') {
        word++;
      }
      word = Strip.skip(source.text(), word);
      if (!source.has("endraw", word)) {
        continue;
      }
      int end = Strip.skip(source.text(), word + "endraw".length());
      char sign = source.at(end);
      if (sign == '-' || sign == '+') {
        end++;
      }
      if (source.has("%}", end)) {
        data(textBefore(tag), body);
        offset = end + 2;
        afterTag(sign);
        return;
      }
    }
    throw source.position(opening).error("'raw' is not closed: '{% endraw %}' is missing");
  }

  private void data(String text, int at) {
    if (!text.isEmpty()) {
      add(Kind.DATA, text, at);
    }
  }

  private void add(Kind kind, String text, int at) {
    tokens.add(new Token(kind, text, source.position(at)));
  }
}

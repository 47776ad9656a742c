package dev.espalier.template;

import dev.espalier.template.Token.Kind;
import java.util.List;

/// The tokens of a template, read one after the other.
final class TokenStream {
  private final List<Token> tokens;
  private int next;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(next);
  }

  Token following() {
    return tokens.get(Math.min(next + 1, tokens.size() - 1));
  }

  /// Returns the current token and moves on; the end is never passed.
  Token take() {
    var token = current();
    if (token.kind() != Kind.END) {
      next++;
    }
    return token;
  }

  boolean at(Kind kind) {
    return current().kind() == kind;
  }

  boolean atName(String name) {
    return current().isName(name);
  }

  boolean atOperator(String operator) {
    return current().isOperator(operator);
  }

  boolean skipName(String name) {
    boolean found = atName(name);
    if (found) {
      take();
    }
    return found;
  }

  boolean skipOperator(String operator) {
    boolean found = atOperator(operator);
    if (found) {
      take();
    }
    return found;
  }

  Token expect(Kind kind, String what) {
    if (!at(kind)) {
      throw unexpected(what);
    }
    return take();
  }

  Token expectOperator(String operator) {
    if (!atOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
    return take();
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  TemplateException unexpected(String expected) {
    return current().at().error("expected " + expected + ", found " + current().described());
  }
}

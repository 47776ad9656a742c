package dev.espalier.template;

/// A place in the template's source: line and column, both from 1.
record Position(int line, int column) {
  TemplateException error(String what) {
    return new TemplateException(line, column, what);
  }
}

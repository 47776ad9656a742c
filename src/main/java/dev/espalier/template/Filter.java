package dev.espalier.template;

/// What `value | name(arguments)` does.
@FunctionalInterface
interface Filter {
  Object apply(Object input, Arguments arguments, Interpreter interpreter);
}

package dev.espalier.template;

/// What `value is name(arguments)` asks.
@FunctionalInterface
interface Test {
  boolean holds(Object input, Arguments arguments, Budget budget);
}

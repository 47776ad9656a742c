package dev.espalier.pretrain;

import dev.espalier.pretrain.Tool.Argument;
import java.util.List;
import java.util.Map;

/// An argument of a synthetic tool and how people speak of it.
///
/// @param label what people call it
/// @param unit what its number counts, empty if nothing
/// @param form the pattern of its codes: A a letter, 9 a digit, the rest itself; empty if it has
///   none
/// @param synonyms other words for each of its choices
/// @param ways how a value is given: a sentence if it starts with a capital letter
record Slot(
    Argument argument,
    Kind kind,
    String label,
    String unit,
    String form,
    Map<String, List<String>> synonyms,
    List<String> ways) {

  Slot required(boolean required) {
    var changed =
        new Argument(
            argument.name(), argument.type(), argument.description(), argument.choices(), required);
    return new Slot(changed, kind, label, unit, form, synonyms, ways);
  }

  /// Whether what people call one could mean the other.
  boolean soundsLike(Slot other) {
    return label.contains(other.label) || other.label.contains(label);
  }

  String name() {
    return argument.name();
  }

  boolean required() {
    return argument.required();
  }
}

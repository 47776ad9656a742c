package dev.espalier.template;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Which names a block reads and sets, as Jinja settles it before anything runs.
///
/// A name that a block sets is the block's own from its start: until it is set it is undefined, in
/// the blocks inside too, whatever variable of that name the request has. Not so if the block reads
/// it before, or sets it only under an `if`, or if a block around it knows the name.
final class Names {
  private static final Set<String> SPECIAL = Set.of("caller", "varargs", "kwargs");

  private final @Nullable Names outer;
  private final Set<String> known = new HashSet<>();
  private final Set<String> unset = new HashSet<>();
  private final Set<String> special = new HashSet<>();
  private int branches;

  Names(@Nullable Names outer) {
    this.outer = outer;
  }

  void reads(String name) {
    known.add(name);
    if (SPECIAL.contains(name)) {
      for (var names = this; names != null; names = names.outer) {
        names.special.add(name);
      }
    }
  }

  /// The name has a value when the block begins.
  void begins(String name) {
    known.add(name);
  }

  void sets(String name) {
    if (known.add(name) && branches == 0) {
      unset.add(name);
    }
  }

  /// What follows, up to `leaveBranch`, depends on an `if`.
  void enterBranch() {
    branches++;
  }

  void leaveBranch() {
    branches--;
  }

  /// To be called when the whole template is read: blocks around may learn names after this one.
  void settle() {
    for (var names = outer; names != null; names = names.outer) {
      unset.removeAll(names.known);
    }
  }

  /// The names that are undefined when the block begins.
  Set<String> unset() {
    return unset;
  }

  /// Which of `caller`, `varargs` and `kwargs` are read here or in a block inside.
  Set<String> special() {
    return Set.copyOf(special);
  }
}

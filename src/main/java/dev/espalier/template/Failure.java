package dev.espalier.template;

/// What went wrong in an operation that does not know where it stands in the template.
///
/// The interpreter catches it at the expression it evaluates and adds the position.
final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Failure(String what) {
    super(what, null, false, false);
  }

  /// Says what went wrong; never null, unlike `getMessage`.
  String what() {
    return String.valueOf(getMessage());
  }
}

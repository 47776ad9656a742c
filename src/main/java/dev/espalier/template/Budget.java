package dev.espalier.template;

/// What one rendering may use, so that a hostile template ends in an error and not in a hung or
/// dead server.
///
/// Steps bound the time; what looks through a long text or list takes as many as it is long. Memory
/// is charged when text or a list is made and never given back: what is alive at once cannot be
/// more.
final class Budget {
  /// The longest text, the output included, in UTF-16 units.
  static final int MAX_TEXT = 16 << 20;

  private static final long MAX_STEPS = 10_000_000;
  private static final long MAX_MEMORY = 128L << 20;
  private static final int MAX_DEPTH = 1_000;
  private static final int ITEM = 16; // in characters
  private static final int SCANNED = 64; // characters a step

  private long steps;
  private long memory;
  private int depth;

  /// One expression or statement more.
  void step() {
    steps(1);
  }

  private void steps(long count) {
    steps += count;
    if (steps > MAX_STEPS) {
      throw new Failure("the template takes more than " + MAX_STEPS + " steps");
    }
  }

  /// A look through a text of that length.
  void scan(long length) {
    steps(length / SCANNED);
  }

  /// A search in a text of that length; for a long text it may take their product.
  void search(long length, long wanted) {
    steps(length / SCANNED * (1 + wanted / 32));
  }

  /// Charges for a text before it is made.
  void text(long length) {
    text(length, length);
  }

  /// Charges for a text that grows to `length` by `added`.
  void text(long length, long added) {
    if (length > MAX_TEXT) {
      throw new Failure("a text is longer than " + MAX_TEXT + " characters");
    }
    charge(added);
  }

  /// Charges for a text that was made, at most as long as one that was charged before.
  String made(String text) {
    text(text.length());
    return text;
  }

  /// Charges for a list of so many items, in time too.
  void items(long count) {
    steps(count);
    charge(count * ITEM);
  }

  private void charge(long amount) {
    memory += amount;
    if (memory > MAX_MEMORY) {
      throw new Failure("the template makes more text and lists than its memory allows");
    }
  }

  /// A call or a block inside another.
  void enter() {
    if (++depth > MAX_DEPTH) {
      throw new Failure("macros, loops and blocks nest more deeply than " + MAX_DEPTH);
    }
  }

  void leave() {
    depth--;
  }
}

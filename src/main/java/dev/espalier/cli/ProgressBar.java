package dev.espalier.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Optional;

/// How far something long has come: a bar that renews its line on a terminal; elsewhere, as in a
/// log, a line at each tenth of the way.
final class ProgressBar {
  private static final int WIDTH = 30;

  private final String what;
  private final PrintWriter out;
  private final boolean terminal;
  private int tenth;

  ProgressBar(String what, PrintWriter out) {
    this(what, out, Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false));
  }

  ProgressBar(String what, PrintWriter out, boolean terminal) {
    this.what = what;
    this.out = out;
    this.terminal = terminal;
  }

  /// @param note follows the numbers, such as a loss
  void show(int done, int total, String note) {
    if (total < 1) return;
    if (done == 1) tenth = 0; // another run
    boolean end = done == total;
    if (terminal) {
      int full = WIDTH * done / total;
      var bar = "#".repeat(full) + "-".repeat(WIDTH - full);
      out.printf(
          "\r  %s [%s] %d/%d  %s%s", what, bar, done, total, note, end ? "%n".formatted() : "");
    } else if (10 * done / total > tenth) {
      tenth = 10 * done / total;
      out.printf("  %s %d/%d  %s%n", what, done, total, note);
    }
    out.flush();
  }
}

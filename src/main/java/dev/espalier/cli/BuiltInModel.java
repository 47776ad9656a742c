package dev.espalier.cli;

import java.nio.file.Path;

/// Where the built-in model lies: beside the launcher, which says so in `ESPALIER_HOME`.
final class BuiltInModel {
  private static final String NAME = "espalier-6m";

  private BuiltInModel() {}

  static Path folder() {
    var home = System.getenv("ESPALIER_HOME");
    return Path.of(home == null ? "" : home, "models", NAME);
  }
}

package dev.espalier.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The `espalier` command.
@Command(
    name = "espalier",
    description = "Trains small models to the shape of your traffic.",
    mixinStandardHelpOptions = true,
    subcommands = {PretrainCommand.class, UpCommand.class})
public final class Main {
  private Main() {}

  /// Runs one command and exits with its status.
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }
}

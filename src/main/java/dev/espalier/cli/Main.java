package dev.espalier.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The `espalier` command.
@Command(
    name = "espalier",
    description = "Trains small models to the shape of your traffic.",
    mixinStandardHelpOptions = true,
    subcommands = {
      AdaptersCommand.class,
      DemoCommand.class,
      DistilCommand.class,
      EvalCommand.class,
      JudgeCommand.class,
      LogitsCommand.class,
      BenchCommand.class,
      PretrainCommand.class,
      RenderCommand.class,
      RequestsCommand.class,
      RlCommand.class,
      TasksCommand.class,
      TokensCommand.class,
      UpCommand.class
    })
public final class Main {
  /// Held on to, because the logging system forgets loggers that nobody holds.
  private static final Logger SERVER = Logger.getLogger("io.helidon");

  private Main() {}

  /// Runs one command and exits with its status.
  public static void main(String[] args) {
    SERVER.setLevel(Level.WARNING); // its greetings are not ours
    var out = new PrintWriter(System.out, true, StandardCharsets.UTF_8); // whatever the locale
    System.exit(commandLine().setOut(out).execute(args));
  }

  /// All commands; what one throws becomes one line on standard error.
  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setExecutionExceptionHandler((e, command, parsed) -> {
          var message = e.getMessage() == null ? e.toString() : e.getMessage();
          command.getErr().println("espalier: " + message);
          return 1;
        });
  }
}

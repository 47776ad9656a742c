package dev.espalier.gateway;

import dev.espalier.chat.ChatException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// Work on a thread of its own, so that the connection's thread can look after the client
/// meanwhile.
final class Aside {
  private static final Duration SILENCE = Duration.ofSeconds(1);

  private Aside() {}

  /// Runs the work, and on this thread, in their order, what the work hands back to be run here.
  ///
  /// @param work is given where to hand it; interrupted once this thread gives it up
  /// @param silent run whenever nothing was handed back for a second; what it throws, as what was
  ///   handed back throws, gives the work up
  static <T> T run(Function<Executor, T> work, Runnable silent) {
    var here = new LinkedBlockingQueue<Runnable>();
    var result = new FutureTask<>(() -> work.apply(here::add));
    var thread =
        Thread.ofVirtual()
            .name("answer")
            .start(() -> {
              result.run();
              here.add(() -> {}); // so that nobody waits for a second more
            });
    try {
      while (!result.isDone() || !here.isEmpty()) {
        var next = here.poll(SILENCE.toNanos(), TimeUnit.NANOSECONDS);
        if (next == null) silent.run();
        else next.run();
      }
      return result.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) throw failure;
      throw new IllegalStateException("the work failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw stopping(e);
    } finally {
      thread.interrupt();
    }
  }

  /// What a connection's thread ends with that is interrupted.
  static ChatException stopping(Exception cause) {
    return new ChatException(503, "the gateway is shutting down", cause);
  }
}

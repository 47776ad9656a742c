package dev.espalier.tools;

import dev.espalier.chat.Json;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Executes JavaScript that nobody has read: in this process, but without files, network, clock or
/// a way back into Java, and with limits on time, memory and output.
///
/// Nothing is left of a run when it ends, and the same code always comes to the same. Calls block,
/// and may come from many virtual threads at once: as many run as there are processors, on threads
/// of their own, and the others wait.
public final class JavaScriptSandbox {
  private static final Pattern NAME = Pattern.compile("[A-Za-z_$][\\w$]*");
  private static final Semaphore PROCESSORS =
      new Semaphore(Runtime.getRuntime().availableProcessors(), true);
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int STACK_BYTES =
      16 << 20; // beyond what the engine's own stack has room for
  private static final long LOOK_MILLIS = 10;

  private final SandboxLimits limits;

  public JavaScriptSandbox(SandboxLimits limits) {
    this.limits = limits;
  }

  /// Runs a script; its value is that of its last expression, and a promise is waited for.
  ///
  /// @throws IllegalStateException if the thread is interrupted
  public Outcome run(String code) {
    var request = Json.object().put("code", code);
    return onThread(() -> QuickJs.run(request, limits));
  }

  /// Calls a function that a script defines, each time in an engine that knows nothing of the other
  /// calls. The limits are those of one call, but for the time, which is for all together.
  ///
  /// @param arguments of each call
  /// @return what became of each call
  /// @throws IllegalStateException if the thread is interrupted
  public List<Outcome> call(String code, String function, List<ArrayNode> arguments) {
    if (!isName(function)) {
      throw new IllegalArgumentException("\"%s\" cannot name a function".formatted(function));
    }
    var requests = new ArrayList<ObjectNode>();
    for (var each : arguments) {
      var request = Json.object().put("code", code).put("function", function);
      request.set("arguments", each);
      requests.add(request);
    }
    return onThread(() -> requests.stream().map(it -> QuickJs.run(it, limits)).toList());
  }

  static boolean isName(String function) {
    return NAME.matcher(function).matches();
  }

  /// Works on a thread of its own, since code that never pauses would keep a virtual thread's
  /// carrier, and interrupts it once it had its time. Interrupted, it finishes at once.
  private <T> T onThread(Callable<T> work) {
    try {
      PROCESSORS.acquire();
    } catch (InterruptedException e) {
      throw abandoned(e);
    }
    var task =
        new FutureTask<>(() -> {
          try {
            return work.call();
          } finally {
            PROCESSORS.release();
          }
        });
    var thread = new Thread(null, task, "sandbox", STACK_BYTES);
    thread.setDaemon(true);
    thread.start();
    try {
      return await(task, thread);
    } catch (InterruptedException e) {
      thread.interrupt();
      throw abandoned(e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the sandbox failed", e.getCause());
    }
  }

  private <T> T await(FutureTask<T> task, Thread thread)
      throws InterruptedException, ExecutionException {
    while (true) {
      try {
        return task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        long used = THREADS.getThreadCpuTime(thread.threadId());
        if (used > limits.time().toNanos()) thread.interrupt();
      }
    }
  }

  private static IllegalStateException abandoned(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("the run was abandoned", e);
  }
}

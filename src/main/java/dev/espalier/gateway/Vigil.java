package dev.espalier.gateway;

import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Looks after clients while their upstreams are silent: what is waited for, for a client that has
/// left, is given up.
final class Vigil implements AutoCloseable {
  private static final Duration SILENCE = Duration.ofSeconds(1);

  private final Set<Wait> waits = ConcurrentHashMap.newKeySet();
  private final Thread thread = Thread.ofVirtual().name("vigil").start(this::look);

  /// Something that blocks.
  @FunctionalInterface
  interface Blocking<T extends @Nullable Object> {
    T get() throws IOException;
  }

  /// A thread that waits for an upstream.
  private static final class Wait {
    private final ServerRequest client;
    private final Thread thread = Thread.currentThread();
    private final long since = System.nanoTime();
    private boolean over;
    private boolean left;

    Wait(ServerRequest client) {
      this.client = client;
    }

    synchronized void look() {
      if (over || left || System.nanoTime() - since < SILENCE.toNanos()) return;
      if (!Peer.hasLeft(client)) return;
      left = true;
      thread.interrupt();
    }

    /// Nothing interrupts the thread from now on.
    ///
    /// @return whether something did
    synchronized boolean end() {
      over = true;
      if (left) Thread.interrupted(); // and it is as if nothing had
      return left;
    }
  }

  /// Waits on this thread.
  ///
  /// @throws ClientGone if the client left before there was something
  <T extends @Nullable Object> T during(ServerRequest client, Blocking<T> blocking)
      throws IOException {
    var wait = new Wait(client);
    waits.add(wait);
    try {
      return blocking.get();
    } catch (IOException | RuntimeException e) {
      if (wait.end()) throw ClientGone.seen();
      throw e;
    } finally {
      waits.remove(wait);
      wait.end();
    }
  }

  private void look() {
    try {
      while (true) {
        Thread.sleep(SILENCE);
        waits.forEach(Wait::look);
      }
    } catch (InterruptedException closing) {
      // nobody waits any more
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}

package dev.espalier.gateway;

import dev.espalier.chat.ChatException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A response could not be written: the client went away.
final class ClientGone extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private ClientGone(@Nullable Exception cause) {
    super("the client went away", cause);
  }

  /// The connection was seen to be closed.
  static ClientGone seen() {
    return new ClientGone(null);
  }

  @FunctionalInterface
  interface Write {
    void run() throws IOException;
  }

  /// Writes; whatever the server throws then means that nobody listens, or that it is being
  /// stopped.
  ///
  /// @throws ChatException if this thread was interrupted, which closes its connection
  static void onFailure(Write write) {
    try {
      write.run();
    } catch (IOException | RuntimeException e) {
      if (Thread.currentThread().isInterrupted()) throw Aside.stopping(e);
      throw new ClientGone(e);
    }
  }
}

package dev.espalier.engine;

import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import java.util.concurrent.CountDownLatch;

/// Keeps the device busy until it is closed, so that engines come to a standstill.
public final class Held implements AutoCloseable {
  private final CountDownLatch open = new CountDownLatch(1);
  private final Thread thread;

  /// Returns once the device is held.
  public Held() throws InterruptedException {
    var begun = new CountDownLatch(1);
    thread =
        Thread.ofVirtual()
            .start(() ->
                Device.cpu()
                    .run(
                        Urgency.DECODE,
                        () -> {
                          begun.countDown();
                          awaitOpen();
                        }));
    begun.await();
  }

  private void awaitOpen() {
    try {
      open.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws InterruptedException {
    open.countDown();
    thread.join();
  }
}

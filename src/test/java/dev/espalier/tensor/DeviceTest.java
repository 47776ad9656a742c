package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.espalier.tensor.Device.Urgency;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

final class DeviceTest {
  private static final Device DEVICE = Device.cpu();

  /// A unit of training that gives way in its middle, where a decode step waits by then.
  ///
  /// @param decode asks for that step, and is given what was done so far
  /// @return what was done, in order
  private static List<String> trainBeside(Consumer<List<String>> decode)
      throws InterruptedException {
    var done = Collections.synchronizedList(new ArrayList<String>());
    var begun = new CountDownLatch(1);
    var asked = new CountDownLatch(1);
    var training =
        Thread.ofVirtual()
            .start(() ->
                DEVICE.run(
                    Urgency.TRAIN,
                    () -> {
                      begun.countDown();
                      await(asked);
                      done.add("half a row");
                      DEVICE.giveWay();
                      done.add("a row");
                    }));
    begun.await();
    var decoding = Thread.ofVirtual().start(() -> decode.accept(done));
    while (DEVICE.waiting() == 0) Thread.sleep(1);
    asked.countDown();
    training.join();
    decoding.join();
    return done;
  }

  @Test
  void decodingRunsWhereTrainingGivesWay() throws InterruptedException {
    var done = trainBeside(it -> DEVICE.run(Urgency.DECODE, () -> it.add("a step")));
    assertThat(done).containsExactly("half a row", "a step", "a row");
  }

  @Test
  void isNotIdleWhileAUnitRuns() throws InterruptedException {
    var idle = new CountDownLatch(1);
    DEVICE.run(
        Urgency.TRAIN,
        () -> {
          Thread.ofVirtual()
              .start(() -> {
                try {
                  DEVICE.awaitIdle(Duration.ofMillis(1));
                  idle.countDown();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
          try {
            assertThat(idle.await(50, TimeUnit.MILLISECONDS)).isFalse();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    idle.await();
  }

  @Test
  void trainingGoesOnWhenNobodyDecodes() {
    var done = new ArrayList<String>();
    DEVICE.run(
        Urgency.TRAIN,
        () -> {
          DEVICE.giveWay();
          done.add("a row");
        });
    assertThat(done).containsExactly("a row");
  }

  @Test
  void whatADecodeStepThrowsReachesWhoAskedForItAndNotTheTraining() throws InterruptedException {
    var thrown = new AtomicReference<Throwable>();
    var done =
        trainBeside(it ->
            thrown.set(
                catchThrowable(() ->
                    DEVICE.run(
                        Urgency.DECODE,
                        () -> {
                          throw new IllegalStateException("no step");
                        }))));
    assertThat(thrown.get()).hasMessage("no step");
    assertThat(done).containsExactly("half a row", "a row");
  }

  @Test
  void onlyTheDeviceGivesWay() {
    assertThatThrownBy(DEVICE::giveWay).isInstanceOf(IllegalStateException.class);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

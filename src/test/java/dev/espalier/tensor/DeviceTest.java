package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.tensor.Device.Urgency;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class DeviceTest {
  private static final Device DEVICE = Device.cpu();

  @Test
  void decodingRunsWhereTrainingGivesWay() throws InterruptedException {
    List<String> done = Collections.synchronizedList(new ArrayList<>());
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
    var decoding =
        Thread.ofVirtual().start(() -> DEVICE.run(Urgency.DECODE, () -> done.add("a step")));
    while (DEVICE.waiting() == 0) Thread.sleep(1);
    asked.countDown();
    training.join();
    decoding.join();
    assertThat(done).containsExactly("half a row", "a step", "a row");
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
    var begun = new CountDownLatch(1);
    var asked = new CountDownLatch(1);
    var done = Collections.synchronizedList(new ArrayList<String>());
    var training =
        Thread.ofVirtual()
            .start(() ->
                DEVICE.run(
                    Urgency.TRAIN,
                    () -> {
                      begun.countDown();
                      await(asked);
                      DEVICE.giveWay();
                      done.add("a row");
                    }));
    begun.await();
    var failing =
        Thread.ofVirtual()
            .start(() ->
                assertThatThrownBy(() ->
                        DEVICE.run(
                            Urgency.DECODE,
                            () -> {
                              throw new IllegalStateException("no step");
                            }))
                    .hasMessage("no step"));
    while (DEVICE.waiting() == 0) Thread.sleep(1);
    asked.countDown();
    training.join();
    failing.join();
    assertThat(done).containsExactly("a row");
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

package dev.espalier.gateway;

import dev.espalier.store.Store;
import dev.espalier.store.StoreException;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// Deletes what is older, or more, than is to be kept: at the start and every minute.
final class RetentionJob implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(RetentionJob.class.getName());

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("retention").daemon().factory());
  private final GatewayConfig config;
  private final Store store;
  private final Metrics metrics;

  RetentionJob(GatewayConfig config, Store store, Metrics metrics) {
    this.config = config;
    this.store = store;
    this.metrics = metrics;
    if (config.keepFor() == null && config.keepBytes() == null) return;
    var _ = timer.scheduleWithFixedDelay(this::run, 0, 1, TimeUnit.MINUTES);
  }

  private void run() {
    try {
      if (config.keepFor() != null) {
        metrics.deleted.add(store.deleteBefore(Instant.now().minus(config.keepFor())));
      }
      if (config.keepBytes() != null) metrics.deleted.add(store.shrinkTo(config.keepBytes()));
    } catch (StoreException e) {
      // Tried again in a minute; an exception would end the schedule.
      LOG.log(System.Logger.Level.WARNING, "retention failed: {0}", e.getMessage());
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}

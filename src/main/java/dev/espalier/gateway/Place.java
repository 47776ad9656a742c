package dev.espalier.gateway;

import java.util.concurrent.Semaphore;

/// A request's place among those that the gateway handles at once. Belongs to one thread.
final class Place implements AutoCloseable {
  private final Semaphore places;
  private final Metrics metrics;
  private boolean taken;

  Place(Semaphore places, Metrics metrics) {
    this.places = places;
    this.metrics = metrics;
  }

  /// Takes one, unless it has one.
  ///
  /// @throws ApiError with status 503 if there is none
  void take() {
    if (taken) return;
    taken = places.tryAcquire();
    if (taken) return;
    metrics.refused.increment();
    throw new ApiError(503, "Too many requests at once: try again later", null, "overloaded");
  }

  /// Gives it back, if it has one.
  @Override
  public void close() {
    if (taken) places.release();
    taken = false;
  }
}

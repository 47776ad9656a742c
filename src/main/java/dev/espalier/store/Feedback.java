package dev.espalier.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// What somebody thought of one response: a score, a label or a comment, at least one of them.
public record Feedback(
    String requestId,
    Instant time,
    @Nullable Double score,
    @Nullable String label,
    @Nullable String comment) {
  public Feedback {
    if (score == null && label == null && comment == null) {
      throw new IllegalArgumentException("feedback needs a score, a label or a comment");
    }
    if (score != null && !Double.isFinite(score)) {
      throw new IllegalArgumentException("a feedback's score must be a finite number");
    }
  }
}

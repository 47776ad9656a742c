package dev.espalier.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A training or evaluation run.
///
/// @param kind `distil`, `rl`, `eval`, ...
/// @param status `running`, `done` or `failed`
/// @param config JSON of its configuration
/// @param metrics JSON of its results so far; null before the first
public record Run(
    String id,
    String kind,
    String status,
    Instant started,
    @Nullable Instant finished,
    String config,
    @Nullable String metrics) {}

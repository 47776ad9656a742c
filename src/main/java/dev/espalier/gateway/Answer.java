package dev.espalier.gateway;

import dev.espalier.store.Outcome;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The response to an exchange.
///
/// @param raw the bytes as they went to the client
/// @param message what the events of a stream make up; null if it was none
/// @param cut whether `raw` lacks what went beyond the longest response that is stored
record Answer(
    Served served,
    int status,
    Outcome outcome,
    boolean streamed,
    byte[] raw,
    @Nullable ObjectNode message,
    long firstByteMs,
    boolean cut) {}

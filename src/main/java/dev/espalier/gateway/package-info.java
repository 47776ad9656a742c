/// HTTP: provider-compatible endpoints, keys, routes, streaming, capture and the admin API.
///
/// A request goes `Gateway` → `ChatEndpoint` → `Routes` (who answers) → `Relay` or `LocalAnswer`
/// (the bytes) → `Recorder` (what is stored). Handlers run on virtual threads and block.
@NullMarked
package dev.espalier.gateway;

import org.jspecify.annotations.NullMarked;

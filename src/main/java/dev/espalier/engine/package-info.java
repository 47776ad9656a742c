/// Continuous batching, the KV cache, many adapters in one batch, and sampling; implements
/// `ChatModel`.
@NullMarked
package dev.espalier.engine;

import org.jspecify.annotations.NullMarked;

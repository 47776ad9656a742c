/// Evaluators of any `ChatModel` on held-out examples, and their reports.
///
/// The loop is `Evaluate`.
@NullMarked
package dev.espalier.eval;

import org.jspecify.annotations.NullMarked;

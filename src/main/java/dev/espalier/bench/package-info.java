/// The benchmarks: each a ratio to a limit or to a peer that was measured in the same run.
@NullMarked
package dev.espalier.bench;

import org.jspecify.annotations.NullMarked;

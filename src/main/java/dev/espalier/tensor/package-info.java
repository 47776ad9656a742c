/// The device and its scheduler, scopes of native memory, dtypes, and the libtorch set-up.
///
/// libtorch runs on one platform thread, [Device]; nothing else calls it.
@NullMarked
package dev.espalier.tensor;

import org.jspecify.annotations.NullMarked;

/// Supervised distillation: conversations in, an adapter out.
@NullMarked
package dev.espalier.distil;

import org.jspecify.annotations.NullMarked;

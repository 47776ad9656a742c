/// The recipe of the built-in model: its corpus, vocabulary, loop and evaluation sets.
@NullMarked
package dev.espalier.pretrain;

import org.jspecify.annotations.NullMarked;

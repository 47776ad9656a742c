/// Judges that say which attempts at a task were better: RULER, pairs, and what they are worth.
@NullMarked
package dev.espalier.judge;

import org.jspecify.annotations.NullMarked;

/// Training examples from captured requests and from files: select, deduplicate, prune, split.
@NullMarked
package dev.espalier.dataset;

import org.jspecify.annotations.NullMarked;

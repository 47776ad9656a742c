@NullMarked
package dev.espalier.store;

import org.jspecify.annotations.NullMarked;

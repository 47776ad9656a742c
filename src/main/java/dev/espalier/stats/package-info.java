/// Intervals, calibration and agreement: how sure a number is.
@NullMarked
package dev.espalier.stats;

import org.jspecify.annotations.NullMarked;

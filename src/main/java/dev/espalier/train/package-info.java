/// One optimiser step: batches, losses, AdamW and Muon, schedules, checkpoints.
@NullMarked
package dev.espalier.train;

import org.jspecify.annotations.NullMarked;

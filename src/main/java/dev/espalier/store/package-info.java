/// The database, and the record of everything that passes between stages.
///
/// One SQLite file. All SQL runs on platform threads of the store's own: one that writes,
/// committing in batches, and a few that read.
@NullMarked
package dev.espalier.store;

import org.jspecify.annotations.NullMarked;

/// The command line: `Main`, one record per command, the job runner and the demo.
///
/// The only place that wires the other packages together.
@NullMarked
package dev.espalier.cli;

import org.jspecify.annotations.NullMarked;

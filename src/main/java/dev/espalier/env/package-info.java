/// Environments and what happens in them; for now the demo's world, the marina of Port Alder.
@NullMarked
package dev.espalier.env;

import org.jspecify.annotations.NullMarked;

/// Environments and what happens in them: `Rollouts` steps them in lockstep, the demo's world, the
/// marina of Port Alder, is one. Agents that drive themselves are `Episodes` in place of them.
@NullMarked
package dev.espalier.env;

import org.jspecify.annotations.NullMarked;

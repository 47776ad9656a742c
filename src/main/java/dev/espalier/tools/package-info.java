/// Tools an agent uses: those of MCP servers, and a sandbox that executes code.
@NullMarked
package dev.espalier.tools;

import org.jspecify.annotations.NullMarked;

/// What a model may say where a JSON schema or a forced tool call limits it: rules over bytes, as
/// masks over a vocabulary.
@NullMarked
package dev.espalier.grammar;

import org.jspecify.annotations.NullMarked;

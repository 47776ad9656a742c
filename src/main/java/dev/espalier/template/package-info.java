/// The chat-template interpreter: a JSON tree in, text out.
@NullMarked
package dev.espalier.template;

import org.jspecify.annotations.NullMarked;

/// The decoder-only transformer as data and functions; LoRA; safetensors and PEFT files.
///
/// Model families are rows of data ([ModelShape]), never subclasses.
@NullMarked
package dev.espalier.model;

import org.jspecify.annotations.NullMarked;

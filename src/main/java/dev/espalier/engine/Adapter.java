package dev.espalier.engine;

import dev.espalier.model.Lora;

/// One version of an adapter, loaded: what requests for it decode with.
///
/// @param version names adapter and version in token traces
public record Adapter(String name, String version, Lora lora) {}

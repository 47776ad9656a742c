package dev.espalier.store;

import java.time.Instant;

/// A key that we issued; only its hash is kept.
///
/// @param hash SHA-256 of the key in hexadecimal
public record ApiKey(String id, String name, String hash, Instant created) {}

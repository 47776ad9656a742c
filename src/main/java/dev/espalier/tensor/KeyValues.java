package dev.espalier.tensor;

/// Keys and values of positions that follow each other, where they lie.
///
/// @param keys the address of the first head's first key; a head has (length, hd) without gaps
/// @param values likewise
/// @param apart bytes from one head to the next
/// @param length positions
public record KeyValues(long keys, long values, long apart, int length) {}

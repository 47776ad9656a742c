package dev.espalier.train;

/// A row, and where its tokens with loss come from.
///
/// @param sequence which sequence each belongs to, int[N], by its place among those packed
/// @param token its place in that sequence, int[N]
public record PackedRow(Row row, int[] sequence, int[] token) {}

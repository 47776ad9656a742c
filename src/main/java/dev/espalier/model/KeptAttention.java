package dev.espalier.model;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// Attention of the pieces of a row, whose keys and values somebody keeps.
public interface KeptAttention extends Attention {
  /// Tokens that see each other, and what is there already.
  ///
  /// @param tokens how many
  /// @param before how many tokens each part of what they go on from has, in order
  record Piece(int tokens, List<Integer> before) {
    public Piece {
      before = List.copyOf(before);
    }
  }

  /// Keys and values that are kept: (KV, n, hd).
  record Kept(Tensor keys, Tensor values) {}

  /// The pieces, in the order of the row.
  List<Piece> pieces();

  /// Keeps a row's keys and values at a layer, (1, KV, T, hd), before anybody asks for what comes
  /// before a piece there.
  void keep(int layer, Tensor keys, Tensor values);

  /// The parts of what a piece goes on from.
  List<Kept> before(int layer, int piece);
}

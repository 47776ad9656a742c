package dev.espalier.engine;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Crew;
import dev.espalier.tensor.KeyValues;
import dev.espalier.tensor.Rows;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// The attention of single tokens of a pass, to keys and values where they are kept. For a piece of
/// a few tokens libtorch would copy all that it goes on from.
final class TokenAttention {
  private final ModelShape shape;
  private final Rows rows;
  private final List<Token> tokens = new ArrayList<>();

  /// @param at its number in the row
  /// @param sees keys and values, its own the last
  private record Token(int at, List<KeyValues> sees) {}

  /// @param rows of the type of queries, keys and values
  TokenAttention(ModelShape shape, Rows rows) {
    this.shape = shape;
    this.rows = rows;
  }

  void add(int at, List<KeyValues> sees) {
    tokens.add(new Token(at, sees));
  }

  /// Puts what the tokens make, a key-value head of one a job.
  ///
  /// @param query (1, H, T, hd), whose heads' numbers lie together
  /// @param mixed (1, T, H·hd), contiguous
  void attend(Tensor query, Tensor mixed) {
    int size = shape.headDim();
    int each = shape.heads() / shape.kvHeads();
    long from = Rows.at(query);
    long ofHead = query.stride(1);
    long ofToken = query.stride(2);
    long to = Rows.at(mixed);
    Crew.device()
        .run(
            tokens.size() * shape.kvHeads(),
            job -> {
              var token = tokens.get(job / shape.kvHeads());
              int shared = job % shape.kvHeads();
              for (int head = shared * each; head < (shared + 1) * each; head++) {
                long asked = rows.after(from, head * ofHead + token.at() * ofToken);
                long out = rows.after(to, ((long) token.at() * shape.heads() + head) * size);
                rows.attend(asked, size, token.sees(), shared, out);
              }
            });
  }
}

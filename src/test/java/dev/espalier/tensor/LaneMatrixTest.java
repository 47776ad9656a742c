package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Products of tokens side by side are libtorch's, whatever does not fill a block, a tile or a
/// panel.
final class LaneMatrixTest {
  private static final long SEED = new Random().nextLong();

  private static float[] floats(Tensor tensor) {
    var out = new float[(int) tensor.numel()];
    tensor.contiguous().data_ptr_float().get(out);
    return out;
  }

  private static void close(Tensor got, Tensor expected, String which) {
    assertThat(floats(got)).as(which).containsExactly(floats(expected), within(1e-3f));
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void productsAreThoseOfLibtorch(Dtype dtype) {
    var random = new Random(SEED);
    for (int round = 0; round < 40; round++) {
      int tokens = 1 + random.nextInt(100);
      int in = 1 + random.nextInt(300);
      int out = 1 + random.nextInt(300);
      try (var scope = new Scope()) {
        var matrix = torch.randn(out, in).to(dtype.scalar());
        var wide = matrix.to(Dtype.F32.scalar());
        var x = torch.randn(tokens, in);
        var y = torch.randn(tokens, out);
        var which = "(%d, %d) by %d tokens, seed %d".formatted(out, in, tokens, SEED);
        var lanes = new LaneMatrix(matrix);

        var product = Lanes.zeros(tokens, Lanes.padded(out));
        lanes.multiply(lanes(x), null, product);
        var expected = x.matmul(wide.t());
        close(product.rows(tokens).narrow(1, 0, out), expected, which);
        lanes.multiply(lanes(x), product, product);
        close(product.rows(tokens).narrow(1, 0, out), expected.add(expected), which);

        try (var laid =
            new Laid(new Panels(matrix, Panels.Order.ONES), null, SplitProduct.of(matrix))) {
          int from = Math.min(out - 1, random.nextInt(4) * 8); // on a panel's beginning, or not
          var some = new LaneMatrix(matrix.narrow(0, from, out - from), laid, from);
          var of = Lanes.zeros(tokens, Lanes.padded(out - from));
          some.multiply(lanes(x), null, of);
          close(
              of.rows(tokens).narrow(1, 0, out - from),
              expected.narrow(1, from, out - from),
              which);
          var back = Lanes.zeros(tokens, Lanes.padded(in));
          var rest = lanes(y.narrow(1, from, out - from));
          some.multiplyTransposed(rest, null, back);
          some.multiplyTransposed(rest, back, back);
          var once = y.narrow(1, from, out - from).matmul(wide.narrow(0, from, out - from));
          close(back.rows(tokens).narrow(1, 0, in), once.add(once), which);
        }

        var back = Lanes.zeros(tokens, Lanes.padded(in));
        lanes.multiplyTransposed(lanes(y), null, back);
        close(back.rows(tokens).narrow(1, 0, in), y.matmul(wide), which);
      }
    }
  }

  /// By bfloat16 parts of float32 tokens, as near the product in float64 as float32's is; and each
  /// token has the same bits among any others.
  @Test
  void nothingOfATokenIsLostInParts() {
    assumeTrue(Brgemm.here(), "this processor has no tiles");
    try (var scope = new Scope()) {
      torch.manual_seed(SEED);
      var matrix = torch.randn(96, 768).to(Dtype.BF16.scalar());
      var x = torch.randn(70, 768);
      var exact = x.to(ScalarType.Double).matmul(matrix.to(ScalarType.Double).t());
      var inFloats = x.matmul(matrix.to(Dtype.F32.scalar()).t());
      for (var stored : List.of(matrix, matrix.to(Dtype.F32.scalar()))) {
        var split = Objects.requireNonNull(SplitProduct.of(stored));
        var all = Lanes.empty(70, 96);
        split.rows(0, 96).multiply(Lanes.of(x), null, all);
        assertThat(apart(all.rows(70), exact)).isLessThan(2 * apart(inFloats, exact));
        var few = Lanes.empty(3, 96);
        split.rows(0, 96).multiply(Lanes.of(x.narrow(0, 40, 3)), null, few);
        assertThat(few.rows(3).equal(all.rows(70).narrow(0, 40, 3))).isTrue();
        split.close();
      }
      var other = matrix.to(Dtype.F32.scalar()).mul(new Scalar(1 / 3.0));
      assertThat(SplitProduct.of(other)).isNull();
    }
  }

  private static double apart(Tensor got, Tensor exact) {
    var off = got.to(ScalarType.Double).sub(exact);
    return Math.sqrt(off.mul(off).mean().item_double());
  }

  /// Tokens with features that fill tiles.
  private static Lanes lanes(Tensor rows) {
    long missing = Lanes.padded((int) rows.size(1)) - rows.size(1);
    return Lanes.of(torch.constant_pad_nd(rows, new long[] {0, missing}));
  }

  @Test
  void productsOfFeaturesAddUpOverTokens() {
    var random = new Random(SEED);
    for (int round = 0; round < 40; round++) {
      int tokens = 1 + random.nextInt(100);
      int rows = 1 + random.nextInt(40);
      int columns = 1 + random.nextInt(40);
      try (var scope = new Scope()) {
        var one = torch.randn(tokens, rows);
        var other = torch.randn(tokens, columns);
        var sum = torch.randn(rows, columns);
        var expected = sum.add(one.t().matmul(other).mul(new Scalar(0.5)));
        long at = Rows.at(sum);
        int middle = columns / 8 * 4;
        LaneOuter.add(lanes(one), rows, lanes(other), columns, 0.5f, at, 0, middle);
        LaneOuter.add(lanes(one), rows, lanes(other), columns, 0.5f, at, middle, columns);
        close(sum, expected, "(%d, %d), %d tokens, seed %d".formatted(rows, columns, tokens, SEED));
      }
    }
  }

  @Test
  void tokensComeBackAsTheyWere() {
    var random = new Random(SEED);
    try (var scope = new Scope()) {
      int tokens = 70;
      var rows = torch.randn(tokens, 50);
      var lanes = Lanes.of(rows);
      close(lanes.rows(tokens), rows, "all");
      var some = random.ints(20, 0, tokens).toArray();
      var index = new long[some.length];
      for (int i = 0; i < some.length; i++) index[i] = some[i];
      var which = torch.tensor(index, new TensorOptions(ScalarType.Long));
      close(lanes.some(some).rows(some.length), rows.index_select(0, which), "some");
      lanes.some(some).addTo(lanes, some);
      close(
          lanes.rows(tokens),
          rows.index_add(0, which, rows.index_select(0, which)),
          "seed " + SEED);
    }
  }

  /// A pass over the first part of a long prompt wants none.
  @Test
  void noTokensAreNoTokens() {
    try (var scope = new Scope()) {
      var none = Lanes.of(torch.randn(70, 40)).some(new int[0]);
      assertThat(none.panels()).isZero();
      assertThat(none.rows(0).size(0)).isZero();
      new LaneMatrix(torch.randn(40, 40)).multiply(none, null, none);
    }
  }
}

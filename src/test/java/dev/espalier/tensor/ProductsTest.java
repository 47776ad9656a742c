package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.tensor.Device.Urgency;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products by all threads against libtorch's.
final class ProductsTest {
  private static void onDevice(Runnable work) {
    Device.cpu()
        .run(
            Urgency.TRAIN,
            () -> {
              try (var noGrad = new NoGradGuard()) {
                torch.manual_seed(5);
                work.run();
              }
            });
  }

  private static void same(Tensor got, Tensor expected) {
    assertThat(got.sizes().vec().get()).isEqualTo(expected.sizes().vec().get());
    assertThat(torch.allclose(got, expected, 1e-4, 1e-3, false)).isTrue();
  }

  /// Long, wide, small ones, and such as do not divide into parts.
  @ParameterizedTest
  @CsvSource({
    "F32, 1500, 256, 300",
    "F32, 3, 512, 4097",
    "F32, 17, 5000, 33",
    "F32, 1, 1, 1",
    "F32, 2, 3, 5"
  })
  void areLibtorchs(Dtype dtype, long n, long k, long m) {
    onDevice(() -> {
      var a = torch.randn(n, k).to(dtype.scalar());
      var b = torch.randn(k, m).to(dtype.scalar());
      var expected = torch.mm(a, b);
      same(Products.mm(a, b), expected);
      same(Products.mm(a.t().contiguous().t(), b.t().contiguous().t()), expected);
      same(Products.linear(a, b.t()), expected);
      same(Products.linear(a.view(1, n, k), b.t()), expected.view(1, n, m));
      var sum = torch.randn(n, m).to(dtype.scalar());
      var bias = torch.randn(m);
      same(Products.linear(a, b.t(), bias, sum.clone()), sum.clone().addmm_(a, b).add(bias));
    });
  }

  /// In bfloat16, of whole blocks and of sizes that fill none; summed in float32 and rounded once.
  @ParameterizedTest
  @CsvSource({"64, 64, 256", "40, 64, 48", "200, 33, 47", "129, 9001, 300", "1, 1, 1", "65, 2, 31"})
  void in16BitTheyAreFloat32sRounded(long n, long k, long m) {
    onDevice(() -> {
      var a = half(n, k);
      var b = half(k, m);
      var c = half(n, 18);
      var d = half(18, m);
      var product = torch.mm(wide(a), wide(b));
      var none = torch.zeros(1);
      var small = torch.mm(wide(c), wide(d)); // which libtorch rounds by itself
      var sum = product.add(small);
      for (var left : List.of(a, a.t().contiguous().t())) {
        for (var right : List.of(b, b.t().contiguous().t())) {
          rounded(Products.mm(left, right), product, none);
          var out = torch.empty_like(product.to(Dtype.BF16.scalar()));
          Products.put(left, right, c, d, null, out);
          rounded(out, sum, small);
          var more = half(n, m);
          rounded(
              Products.linear(left, right.t(), null, more.clone()), product.add(wide(more)), none);
          double most = Matrix.multiplies(Dtype.BF16) ? 1e-5 : 0x1p-7; // else libtorch rounds it
          assertThat(torch.allclose(Products.wide(left, right), product, most, 1e-3, false))
              .isTrue();
        }
      }
    });
  }

  /// An adapter that has hardly learnt adds less than half of what a number is rounded by. Were the
  /// product rounded before, all of it would be lost.
  @Test
  void whatIsAddedToAProductIsNotRoundedAway() {
    onDevice(() -> {
      var a = half(128, 256).abs();
      var b = half(256, 64).abs();
      var c = torch.ones(128, 2).to(Dtype.BF16.scalar());
      var d = torch.full(new long[] {2, 64}, new Scalar(0x1p-4)).to(Dtype.BF16.scalar());
      var product = torch.mm(wide(a), wide(b)); // some 160, rounded to whole numbers
      var out = torch.empty_like(product.to(Dtype.BF16.scalar()));
      Products.put(a, b, c, d, null, out);
      double added = wide(out).sub(product).mean().item_double();
      assertThat(added).isBetween(0x1p-3 * 0.7, 0x1p-3 * 1.3);
      Products.put(a, b.t().contiguous().t(), c, d.t().contiguous().t(), null, out);
      assertThat(wide(out).sub(product).mean().item_double()).isCloseTo(added, within(1e-3));
      var more = torch.full(new long[] {128, 64}, new Scalar(0x1p-3)).to(Dtype.BF16.scalar());
      var sum = Products.linear(a, b.t(), null, more.clone());
      assertThat(wide(sum).sub(product).mean().item_double()).isCloseTo(added, within(1e-3));
      var bias = half(1, 64).view(-1).mul(new Scalar(32));
      var all = product.add(wide(bias));
      var ofLinear = Products.linear(a, b.t(), bias, more);
      assertThat(wide(ofLinear).sub(all).mean().item_double())
          .isCloseTo(0x1p-3, within(0x1p-3 * 0.4));
      Products.put(a, b, bias, out);
      rounded(out, all, torch.zeros(1));
      Products.put(a, b, c, d, bias, out);
      assertThat(wide(out).sub(all).mean().item_double()).isCloseTo(0x1p-3, within(0x1p-3 * 0.4));
    });
  }

  private static Tensor half(long rows, long columns) {
    return torch.randn(rows, columns).to(Dtype.BF16.scalar());
  }

  private static Tensor wide(Tensor half) {
    return half.to(Dtype.F32.scalar());
  }

  /// @param parts what was rounded by itself
  private static void rounded(Tensor got, Tensor exact, Tensor parts) {
    assertThat(Dtype.BF16.is(got)).isTrue();
    var most = exact.abs().add(parts.abs()).mul(new Scalar(0x1p-8)).add(new Scalar(1e-3));
    assertThat(wide(got).sub(exact).abs().le(most).all().item_bool()).isTrue();
  }

  /// Numbers beside a part stay what they are.
  @Test
  void partsOf16BitMatricesAreMultipliedWhereTheyLie() {
    assumeTrue(Matrix.multiplies(Dtype.BF16));
    onDevice(() -> {
      for (int n : new int[] {5, 64, 71}) {
        var a = half(90, 45);
        var b = half(50, 77);
        var out = torch.randn(90, 80);
        var part = torch.mm(wide(a.narrow(0, 9, n).narrow(1, 3, 37)), wide(b.narrow(0, 4, 37)));
        var left = Matrix.of(a).rows(9, n).columns(3, 37);
        var turned = Matrix.of(a.t().contiguous()).transpose().rows(9, n).columns(3, 37);
        for (var columns : List.of(new int[] {1, 33}, new int[] {8, 64})) {
          var expected = out.clone();
          var added = part.narrow(1, columns[0], columns[1]);
          expected.narrow(0, 2, n).narrow(1, 6, columns[1]).copy_(added.add(added));
          var right = Matrix.of(b).rows(4, 37).columns(columns[0], columns[1]);
          var to = Matrix.of(out).rows(2, n).columns(6, columns[1]);
          to.set(left, right);
          to.add(turned, right);
          same(out, expected);
          // the same with the right factor and the result stored by columns
          var back = Matrix.of(b.t().contiguous()).transpose().rows(4, 37);
          var byColumns = torch.zeros(80, 90);
          Matrix.of(byColumns)
              .transpose()
              .rows(2, n)
              .columns(6, columns[1])
              .set(left, back.columns(columns[0], columns[1]));
          same(byColumns.t().narrow(0, 2, n).narrow(1, 6, columns[1]), added);
        }
      }
    });
  }

  @Test
  void partsOfMatricesAreMultipliedWhereTheyLie() {
    onDevice(() -> {
      var a = torch.randn(20, 30);
      var b = torch.randn(40, 50);
      var out = torch.randn(20, 60);
      var expected = out.clone();
      expected
          .narrow(0, 3, 7)
          .narrow(1, 10, 11)
          .add_(torch.mm(a.narrow(0, 5, 7), b.narrow(0, 2, 30).narrow(1, 4, 11)));
      Matrix.of(out)
          .rows(3, 7)
          .columns(10, 11)
          .add(Matrix.of(a).rows(5, 7), Matrix.of(b).rows(2, 30).columns(4, 11));
      same(out, expected);
      // the same through transposes
      Matrix.of(out)
          .transpose()
          .columns(3, 7)
          .rows(10, 11)
          .add(Matrix.of(b.neg()).transpose().columns(2, 30).rows(4, 11), rows(a));
      expected
          .narrow(0, 3, 7)
          .narrow(1, 10, 11)
          .sub_(torch.mm(a.narrow(0, 5, 7), b.narrow(0, 2, 30).narrow(1, 4, 11)));
      same(out, expected);
    });
  }

  private static Matrix rows(Tensor a) {
    return Matrix.of(a.t()).columns(5, 7);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    onDevice(() -> {
      var a = Matrix.of(torch.randn(4, 5));
      assertThatThrownBy(() -> a.set(a, a)).hasMessage("(4, 5) is not (4, 5) times (4, 5)");
      var every = torch.randn(4, 10).view(4, 5, 2).select(2, 0); // every second number
      assertThatThrownBy(() -> Matrix.of(every)).hasMessageContaining("lie together");
      var half = Matrix.of(torch.randn(4, 4).to(Dtype.BF16.scalar()));
      var narrow = torch.randn(4, 5).to(Dtype.BF16.scalar());
      assertThatThrownBy(() -> Products.mm(narrow, narrow)).isInstanceOf(RuntimeException.class);
      assertThat(Products.mm(narrow.narrow(0, 0, 0), narrow.t()).size(0)).isZero();
      assertThatThrownBy(() -> half.set(half, half))
          .hasMessage("products of BF16 and BF16 in BF16 are not computed here");
    });
  }
}

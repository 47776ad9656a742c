package dev.espalier.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.tensor.Device.Urgency;
import org.bytedeco.pytorch.NoGradGuard;
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
    "F32, 2, 3, 5",
    "BF16, 40, 64, 48"
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
      same(Products.addmm(sum.clone(), a, b), sum.clone().addmm_(a, b));
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
          .add(1, Matrix.of(a).rows(5, 7), Matrix.of(b).rows(2, 30).columns(4, 11));
      same(out, expected);
      // the same through transposes
      Matrix.of(out)
          .transpose()
          .columns(3, 7)
          .rows(10, 11)
          .add(-1, Matrix.of(b).transpose().columns(2, 30).rows(4, 11), rows(a));
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
      assertThatThrownBy(() -> a.set(1, a, a)).hasMessage("(4, 5) is not (4, 5) times (4, 5)");
      var every = torch.randn(4, 10).view(4, 5, 2).select(2, 0); // every second number
      assertThatThrownBy(() -> Matrix.of(every)).hasMessageContaining("lie together");
      var half = torch.randn(4, 5).to(Dtype.BF16.scalar());
      assertThatThrownBy(() -> Matrix.of(half)).hasMessageContaining("float32");
    });
  }
}

package dev.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.model.ModelShape;
import dev.espalier.tensor.Device;
import dev.espalier.tensor.Device.Urgency;
import dev.espalier.tensor.Dtype;
import dev.espalier.tensor.Scope;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class KvCacheTest {
  private static final int SLOTS = 2;
  private static final int LENGTH = 5;

  private final ModelShape shape = ModelShape.read(TinyModel.FOLDER);

  /// Has memory for so many tensors.
  private static final class Memory implements Function<long[], Tensor> {
    private int left = Integer.MAX_VALUE;

    @Override
    public Tensor apply(long[] size) {
      if (left-- == 0) throw new IllegalStateException("no memory");
      return torch.zeros(size, Dtype.F32.options());
    }
  }

  @Test
  void keepsWhatItHasWhereMemoryEndsHalfway() {
    for (int left = 0; left < 2 * shape.layers(); left++) {
      int most = left;
      Device.cpu().run(Urgency.DECODE, () -> growsAfter(most));
    }
  }

  private void growsAfter(int left) {
    var memory = new Memory();
    try (var cache = new KvCache(shape, SLOTS, Dtype.F32, memory);
        var scope = new Scope()) {
      cache.reserve(LENGTH);
      for (int layer = 0; layer < shape.layers(); layer++) {
        cache.fill(layer, 1, 0, filledWith(layer), filledWith(-layer));
      }
      memory.left = left;
      assertThatThrownBy(() -> cache.reserve(100)).hasMessage("no memory");
      check(cache);
      memory.left = Integer.MAX_VALUE;
      cache.reserve(100);
      check(cache);
      assertThat(cache.keys(0, 1, 100).size(1)).isEqualTo(100);
    }
  }

  @Test
  void copiesAndSwapsSlots() {
    Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              for (var dtype : List.of(Dtype.F32, Dtype.BF16)) copiesAndSwaps(dtype);
            });
  }

  private void copiesAndSwaps(Dtype dtype) {
    try (var cache = new KvCache(shape, 3, dtype);
        var scope = new Scope()) {
      cache.reserve(2 * LENGTH);
      var one = random(LENGTH, dtype);
      var two = random(2, dtype);
      var across = torch.randn(2, shape.kvHeads(), shape.headDim()).transpose(0, 1);
      for (int layer = 0; layer < shape.layers(); layer++) {
        cache.fill(layer, 0, 1, one, one.neg());
        cache.fill(layer, 2, 0, across, across.neg()); // by token, and of another type
      }
      var turned = across.to(dtype.scalar());
      cache.copy(0, 1, LENGTH + 1);
      cache.fill(0, 1, LENGTH + 1, two, two);
      cache.swap(1, 2, LENGTH + 3);
      for (int layer = 0; layer < shape.layers(); layer++) {
        assertThat(cache.keys(layer, 0, LENGTH + 1).narrow(1, 1, LENGTH).equal(one)).isTrue();
        assertThat(cache.keys(layer, 2, LENGTH + 1).narrow(1, 1, LENGTH).equal(one)).isTrue();
        assertThat(cache.values(layer, 2, LENGTH + 1).narrow(1, 1, LENGTH).equal(one.neg()))
            .isTrue();
        assertThat(cache.keys(layer, 1, 2).equal(turned)).isTrue();
        assertThat(cache.values(layer, 1, 2).equal(turned.neg())).isTrue();
      }
      assertThat(cache.keys(0, 2, LENGTH + 3).narrow(1, LENGTH + 1, 2).equal(two)).isTrue();
    }
  }

  @Test
  void refusesWhatASlotHasNoRoomFor() {
    Device.cpu()
        .run(
            Urgency.DECODE,
            () -> {
              try (var cache = new KvCache(shape, SLOTS, Dtype.F32);
                  var scope = new Scope()) {
                cache.reserve(LENGTH);
                var many = random(100, Dtype.F32);
                assertThatThrownBy(() -> cache.fill(0, 0, 0, many, many))
                    .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> cache.copy(0, SLOTS, 1))
                    .isInstanceOf(IndexOutOfBoundsException.class);
              }
            });
  }

  private Tensor random(int length, Dtype dtype) {
    return torch.randn(shape.kvHeads(), length, shape.headDim()).to(dtype.scalar());
  }

  private Tensor filledWith(int number) {
    long[] size = {shape.kvHeads(), LENGTH, shape.headDim()};
    return torch.zeros(size, Dtype.F32.options()).add(new Scalar(number));
  }

  private static long address(Tensor tensor) {
    return tensor.data_ptr().address();
  }

  private void check(KvCache cache) {
    for (int layer = 0; layer < shape.layers(); layer++) {
      var keys = cache.keys(layer, 1, LENGTH);
      var values = cache.values(layer, 1, LENGTH);
      assertThat(keys.equal(filledWith(layer))).isTrue();
      assertThat(values.equal(filledWith(-layer))).isTrue();
      var at = cache.at(layer, 1, LENGTH);
      assertThat(at.keys()).isEqualTo(address(keys));
      assertThat(at.values()).isEqualTo(address(values));
      assertThat(at.apart()).isEqualTo(keys.stride(0) * Dtype.F32.bytes());
    }
  }
}

package dev.espalier.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// The number types that weights are kept in; nothing computes in float16.
public enum Dtype {
  F32(ScalarType.Float, 4),
  BF16(ScalarType.BFloat16, 2),
  F16(ScalarType.Half, 2);

  private final ScalarType scalar;
  private final int bytes;

  Dtype(ScalarType scalar, int bytes) {
    this.scalar = scalar;
    this.bytes = bytes;
  }

  public ScalarType scalar() {
    return scalar;
  }

  /// Bytes of one number.
  public int bytes() {
    return bytes;
  }

  /// Whether a tensor holds numbers of this type.
  public boolean is(Tensor tensor) {
    return tensor.scalar_type().value == scalar.value; // JavaCPP makes a new enum object each time
  }

  /// The type of a tensor.
  ///
  /// @throws IllegalArgumentException if it holds whole numbers, say
  public static Dtype of(Tensor tensor) {
    for (var type : values()) if (type.is(tensor)) return type;
    throw new IllegalArgumentException("no type for weights: " + tensor.scalar_type());
  }

  /// Options for a new tensor of this type; the caller's scope owns them.
  public TensorOptions options() {
    return new TensorOptions(scalar);
  }
}

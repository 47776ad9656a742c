package dev.espalier.tensor;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/// A span of native memory: every tensor made inside dies when it closes, unless it is kept.
///
/// Scopes nest and belong to the thread that opened them. Without one a tensor leaks: the garbage
/// collector is told to stay out of native memory, because relying on it costs gigabytes.
public final class Scope implements AutoCloseable {
  private final PointerScope scope;

  /// Opens a scope on the current thread.
  public Scope() {
    Native.load();
    scope = new PointerScope();
  }

  /// Lets a tensor outlive this scope; whoever keeps it closes it.
  public Tensor keep(Tensor tensor) {
    tensor.retainReference();
    return tensor;
  }

  @Override
  public void close() {
    scope.close();
  }
}

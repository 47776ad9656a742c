package dev.espalier.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A thread's memory for what lies between two loops, which grows with what is asked for.
public final class Scratch {
  private MemorySegment memory = MemorySegment.NULL;

  /// Where so many bytes are, with anything in them, until more are asked for.
  public long at(long bytes) {
    if (memory.byteSize() < bytes) memory = Arena.ofAuto().allocate(bytes, 64);
    return memory.address();
  }
}

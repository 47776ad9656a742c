package dev.espalier.store;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// Captured requests read a page at a time: no cursor stays open between pages, so a slow consumer
/// never keeps the write-ahead log from being folded back.
final class CapturePages implements Iterator<CapturedRequest> {
  private static final long PAGE = 64;

  private final Reader reader;
  private final CaptureFilter filter;
  private final Queue<CapturedTable.Row> page = new ArrayDeque<>();
  private long left;
  private long lastSeq;

  private CapturePages(Reader reader, CaptureFilter filter) {
    this.reader = reader;
    this.filter = filter;
    left = filter.limit();
    lastSeq = reader.read(connection -> CapturedTable.before(connection, filter));
  }

  static Stream<CapturedRequest> stream(Reader reader, CaptureFilter filter) {
    var ordered = Spliterator.ORDERED | Spliterator.NONNULL;
    var pages = Spliterators.spliteratorUnknownSize(new CapturePages(reader, filter), ordered);
    return StreamSupport.stream(pages, false);
  }

  @Override
  public boolean hasNext() {
    if (page.isEmpty() && left > 0) {
      var size = Math.min(PAGE, left);
      page.addAll(reader.read(c -> CapturedTable.page(c, filter, lastSeq, size)));
      if (page.size() < size) left = page.size();
    }
    return !page.isEmpty();
  }

  @Override
  public CapturedRequest next() {
    if (!hasNext()) throw new NoSuchElementException("no more captured requests");
    var row = page.remove();
    lastSeq = row.seq();
    left--;
    return row.request();
  }
}

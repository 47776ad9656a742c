package dev.espalier.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;

/// A client that costs the machine it shares with what it measures as little as can be: one thread
/// that reads, kept connections, a request that was written once.
final class Load implements AutoCloseable {
  private static final long TIMEOUT_MS = 60_000;

  private final byte[] request;
  private final byte[] expected;
  private final Selector selector;
  private final List<Connection> connections = new ArrayList<>();
  private final BlockingQueue<Connection> idle = new LinkedBlockingQueue<>();
  private long answered;

  /// Connects.
  ///
  /// @param expected the body of every response
  Load(int port, int connections, String body, byte[] expected) {
    this.expected = expected;
    int length = body.getBytes(UTF_8).length;
    request =
        """
        POST /v1/chat/completions HTTP/1.1\r
        host: 127.0.0.1:%d\r
        content-type: application/json\r
        authorization: Bearer sk-none\r
        content-length: %d\r
        \r
        %s\
        """
            .formatted(port, length, body)
            .getBytes(UTF_8);
    try {
      selector = Selector.open();
      for (int i = 0; i < connections; i++) this.connections.add(new Connection(port));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot connect to port " + port, e);
    }
    idle.addAll(this.connections);
  }

  /// Sends so many requests a second, whether or not those before have been answered.
  ///
  /// @return milliseconds of each request from when it was due; it waits where no connection is
  ///   free
  double[] paced(int rate, Duration length) {
    var times = new double[(int) (rate * length.toMillis() / 1000)];
    var sender = Thread.ofPlatform().name("load").start(() -> send(times.length, rate));
    for (int done = 0; done < times.length; ) {
      for (var connection : ready()) {
        times[done++] = (System.nanoTime() - connection.due) / 1e6;
        idle.add(connection);
      }
    }
    try {
      sender.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    return times;
  }

  private void send(int count, int rate) {
    long begin = System.nanoTime();
    try {
      for (int i = 0; i < count; i++) {
        long due = begin + i * 1_000_000_000L / rate;
        while (System.nanoTime() < due) LockSupport.parkNanos(due - System.nanoTime());
        idle.take().send(due);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Requests a second if every connection asks again as soon as it is answered.
  double closed(Duration length) {
    long begin = System.nanoTime();
    long end = begin + length.toNanos();
    long before = answered;
    for (var connection : idle) connection.send(0);
    idle.clear();
    while (idle.size() < connections.size()) {
      for (var connection : ready()) {
        if (System.nanoTime() < end) connection.send(0);
        else idle.add(connection);
      }
    }
    return (answered - before) / ((System.nanoTime() - begin) / 1e9);
  }

  /// How many requests were answered, by this client, ever.
  long answered() {
    return answered;
  }

  /// Waits for an answer, and takes others that have come with it.
  private List<Connection> ready() {
    var ready = new ArrayList<Connection>();
    try {
      selector.select(TIMEOUT_MS);
      if (selector.selectedKeys().isEmpty()) throw new IOException("no answer in a minute");
      for (var key : selector.selectedKeys()) {
        var connection = (Connection) key.attachment();
        if (connection.read()) ready.add(connection);
      }
      selector.selectedKeys().clear();
    } catch (IOException e) {
      throw new UncheckedIOException("a connection broke", e);
    }
    answered += ready.size();
    return ready;
  }

  @Override
  public void close() {
    try {
      for (var connection : connections) connection.channel.close();
      selector.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A connection with at most one request on its way.
  private final class Connection {
    final SocketChannel channel;
    private final HttpMessage answer = new HttpMessage();
    volatile long due;

    Connection(int port) throws IOException {
      channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, this);
    }

    void send(long due) {
      answer.clear();
      this.due = due;
      try {
        HttpMessage.write(channel, request);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /// Whether the whole answer has come.
    boolean read() throws IOException {
      if (!answer.read(channel)) return false;
      if (!answer.answers(expected)) throw new IllegalStateException("a wrong answer: " + answer);
      return true;
    }
  }
}

package dev.espalier.gateway;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.http.ServerRequest;
import java.net.SocketAddress;
import java.security.Principal;
import java.security.cert.Certificate;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The client at the other end of a connection, which can be seen to leave while its request is
/// being answered.
///
/// Only reading shows that a connection was closed. So a thread reads ahead, and what it reads, the
/// beginning of the client's next request, is what the connection reads next. A client that closes
/// its half of the connection and still listens is taken for one that left.
final class Peer implements PeerInfo, Supplier<byte @Nullable []> {
  private final PeerInfo info;
  private final DataReader reader;
  private @Nullable FutureTask<byte @Nullable []> ahead; // on the connection's thread only

  /// @param reader the connection's
  Peer(PeerInfo info, DataReader reader) {
    this.info = info;
    this.reader = reader;
  }

  /// Whether the client of a request has left. Asked by the thread that answers it, once its body
  /// has been read, or while that waits.
  static boolean hasLeft(ServerRequest request) {
    return request.remotePeer() instanceof Peer peer && peer.hasLeft();
  }

  private boolean hasLeft() {
    if (ahead == null) {
      ahead = new FutureTask<>(this::read);
      Thread.ofVirtual().name("read-ahead").start(ahead);
    }
    return switch (ahead.state()) {
      case RUNNING -> false;
      case SUCCESS -> ahead.resultNow() == null;
      case FAILED, CANCELLED -> true;
    };
  }

  /// The next bytes of the connection; null at its end.
  @Override
  public byte @Nullable [] get() {
    var begun = ahead;
    ahead = null;
    if (begun == null) return read();
    try {
      return begun.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) throw failure;
      throw new IllegalStateException("the connection cannot be read", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null; // the server is closing it
    }
  }

  private byte @Nullable [] read() {
    try {
      reader.ensureAvailable();
      return reader.readBytes(reader.available());
    } catch (DataReader.InsufficientDataAvailableException end) {
      return null;
    }
  }

  @Override
  public SocketAddress address() {
    return info.address();
  }

  @Override
  public String host() {
    return info.host();
  }

  @Override
  public int port() {
    return info.port();
  }

  @Override
  public Optional<Principal> tlsPrincipal() {
    return info.tlsPrincipal();
  }

  @Override
  public Optional<Certificate[]> tlsCertificates() {
    return info.tlsCertificates();
  }
}

package dev.espalier.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/// A provider that answers every request at once with the same bytes, and costs the machine it
/// shares with what it measures as little as can be: one thread, and of every request only the text
/// of its head.
final class InstantUpstream implements AutoCloseable {
  private final byte[] response;
  private final Selector selector;
  private final ServerSocketChannel server;
  private final Thread thread;

  InstantUpstream(byte[] body) {
    var head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            .formatted(body.length)
            .getBytes(US_ASCII);
    response = ByteBuffer.allocate(head.length + body.length).put(head).put(body).array();
    try {
      selector = Selector.open();
      server = ServerSocketChannel.open();
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      server.configureBlocking(false);
      server.register(selector, SelectionKey.OP_ACCEPT);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    thread = Thread.ofPlatform().name("upstream").daemon().start(this::serve);
  }

  int port() {
    return server.socket().getLocalPort();
  }

  private void serve() {
    try {
      while (true) selector.select(this::ready);
    } catch (ClosedSelectorException closed) {
      // it was closed
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void ready(SelectionKey key) {
    try {
      if (key.isAcceptable()) {
        var channel = server.accept();
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        var message = new HttpMessage();
        channel.register(selector, SelectionKey.OP_READ, message);
      } else if (key.attachment() instanceof HttpMessage message) {
        var channel = (SocketChannel) key.channel();
        if (!message.read(channel)) return;
        message.clear();
        HttpMessage.write(channel, response);
      }
    } catch (IOException gone) {
      key.cancel();
    }
  }

  @Override
  public void close() {
    try {
      for (var key : selector.keys()) key.channel().close();
      selector.close();
      thread.join();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

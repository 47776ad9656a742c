package dev.espalier.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/// A provider whose every byte a test decides, over a real socket.
final class ScriptedUpstream implements AutoCloseable {
  /// Answers one request.
  @FunctionalInterface
  interface Script {
    void answer(Request request, Wire wire) throws Exception;
  }

  /// @param headers by lower-case name
  record Request(String method, String path, Map<String, String> headers, byte[] body) {
    String text() {
      return new String(body, UTF_8);
    }
  }

  /// The connection's way back.
  record Wire(OutputStream out) {
    void plain(int status, String type, byte[] body) throws IOException {
      raw(
          "HTTP/1.1 %d Scripted\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
              .formatted(status, type, body.length));
      out.write(body);
      out.flush();
    }

    void json(int status, String body) throws IOException {
      plain(status, "application/json", body.getBytes(UTF_8));
    }

    void startStream() throws IOException {
      raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n");
      raw("transfer-encoding: chunked\r\n\r\n");
    }

    void chunk(byte[] bytes) throws IOException {
      raw(Integer.toHexString(bytes.length) + "\r\n");
      out.write(bytes);
      raw("\r\n");
    }

    void event(String data) throws IOException {
      chunk(("data: " + data + "\n\n").getBytes(UTF_8));
    }

    void endStream() throws IOException {
      raw("0\r\n\r\n");
    }

    void raw(String text) throws IOException {
      out.write(text.getBytes(UTF_8));
      out.flush();
    }
  }

  final List<Request> requests = new CopyOnWriteArrayList<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final ServerSocket server;
  private final Script script;

  ScriptedUpstream(Script script) throws IOException {
    this.script = script;
    server = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::acceptAll);
  }

  URI base() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  private void acceptAll() {
    while (!server.isClosed()) {
      try {
        var socket = server.accept();
        open.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      var in = new BufferedInputStream(socket.getInputStream());
      var wire = new Wire(socket.getOutputStream());
      for (var request = read(in); request != null; request = read(in)) {
        requests.add(request);
        script.answer(request, wire);
      }
    } catch (Exception endsTheConnection) {
      // as it would at a real provider
    } finally {
      open.remove(socket);
    }
  }

  private static @Nullable Request read(InputStream in) throws IOException {
    var start = line(in);
    if (start.isEmpty()) return null;
    var words = start.split(" ", -1);
    var headers = new TreeMap<String, String>();
    for (var line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
    return new Request(words[0], words[1], headers, in.readNBytes(length));
  }

  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read())
      if (c != '\r') line.append((char) c);
    return line.toString();
  }

  /// Goes down while the test goes on.
  void stop() throws IOException {
    close();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (var socket : open) socket.close();
  }
}

package dev.espalier.gateway;

import dev.espalier.env.Episode;
import dev.espalier.env.Episodes;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// Starts an agent's episodes by calling a URL of it: for agents that do not ask for them.
///
/// The agent may answer at once or when it is done. An answer other than 2xx, or a connection that
/// breaks before there is one, gives the episode up.
public final class Launcher implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration WAIT = Duration.ofMinutes(1);
  private static final int SHOWN = 200; // characters of an error

  private final Episodes episodes;
  private final URI task;
  private final URI base;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT)
          .executor(threads)
          .build();

  private Launcher(Episodes episodes, URI task, URI base) {
    this.episodes = episodes;
    this.task = task;
    this.base = base;
  }

  /// Begins to launch.
  ///
  /// @param task is called with POST for every episode
  /// @param base the base URL that the agent is told to use, [EpisodeServer#base] as it sees it
  /// @param atOnce the most episodes that run at the same time
  public static Launcher start(Episodes episodes, URI task, URI base, int atOnce) {
    if (atOnce < 1) throw new IllegalArgumentException("at least one episode must run at a time");
    var launcher = new Launcher(episodes, task, base);
    for (int i = 0; i < atOnce; i++) launcher.threads.execute(launcher::work);
    return launcher;
  }

  private void work() {
    try {
      while (true) {
        var episode = episodes.next(WAIT);
        if (episode != null) launch(episode);
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private void launch(Episode episode) throws InterruptedException {
    var body = EpisodeServer.json(episode, "episode").put("base_url", base.toString());
    var request =
        HttpRequest.newBuilder(task)
            .header("content-type", "application/json")
            .POST(BodyPublishers.ofString(body.toString()))
            .build();
    var answer =
        http.sendAsync(request, BodyHandlers.ofString())
            .whenComplete((response, failure) -> check(episode, response, failure));
    try {
      episode.awaitOver();
    } finally {
      answer.cancel(true);
    }
  }

  private void check(
      Episode episode, @Nullable HttpResponse<String> response, @Nullable Throwable failure) {
    if (response == null) {
      episode.fail("%s did not answer: %s".formatted(task, failure));
      return;
    }
    if (response.statusCode() / 100 == 2) return;
    var said = response.body().substring(0, Math.min(SHOWN, response.body().length()));
    episode.fail("%s answered %d: %s".formatted(task, response.statusCode(), said));
  }

  @Override
  public void close() {
    threads.shutdownNow();
    http.shutdownNow();
  }
}

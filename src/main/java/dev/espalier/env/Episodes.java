package dev.espalier.env;

import dev.espalier.chat.ChatException;
import dev.espalier.chat.ChatModel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The episodes that are open: offered in their order, found by their ids. Many threads may use it.
public final class Episodes {
  private static final int REMEMBERED = 10_000; // ids of episodes that are over

  private final BlockingQueue<Episode> waiting = new LinkedBlockingQueue<>();
  private final Map<String, @Nullable Episode> byId = new HashMap<>(); // null once it is over
  private final Queue<String> over = new ArrayDeque<>();
  private volatile long heard = System.nanoTime();

  /// The next episode, for an agent that asks for one; null if there is none for that long.
  public @Nullable Episode next(Duration wait) throws InterruptedException {
    long until = System.nanoTime() + wait.toNanos();
    while (true) {
      heard = System.nanoTime();
      var episode = waiting.poll(until - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (episode == null || episode.take()) return episode;
    }
  }

  /// An open episode.
  ///
  /// @throws ChatException 404 if there never was one of that id, 409 if it is over
  public synchronized Episode find(String id) {
    var episode = byId.get(id);
    if (episode == null) {
      if (byId.containsKey(id)) throw Episode.over(id);
      throw new ChatException(404, "there is no episode \"%s\"".formatted(id));
    }
    heard = System.nanoTime();
    return episode;
  }

  Episode open(Task task, int member, RolloutConfig config, ChatModel policy, long seed) {
    return open(new Episode(task, member, config, policy, seed));
  }

  synchronized Episode open(Episode episode) {
    byId.put(episode.id(), episode);
    waiting.add(episode);
    return episode;
  }

  /// Waits for an episode's outcome, which is the last that is heard of it.
  ///
  /// @param absence how long it is offered while no agent has one or asks for one
  Trajectory outcome(Episode episode, Duration absence) throws InterruptedException {
    try {
      for (long left = absence.toNanos(); !episode.awaitTaken(left); ) {
        if (working()) heard = System.nanoTime();
        left = heard + absence.toNanos() - System.nanoTime();
        if (left <= 0 && waiting.remove(episode)) {
          episode.fail("no agent asked for an episode for " + absence);
        }
      }
      return episode.outcome();
    } finally {
      episode.fail("the run was interrupted");
      close(episode);
    }
  }

  /// Whether an agent has an episode: it may be long about it, and is given up by its own time-out.
  private synchronized boolean working() {
    return byId.values().stream().anyMatch(episode -> episode != null && episode.taken());
  }

  private synchronized void close(Episode episode) {
    waiting.remove(episode);
    byId.put(episode.id(), null);
    over.add(episode.id());
    if (over.size() > REMEMBERED) byId.remove(over.remove());
  }
}

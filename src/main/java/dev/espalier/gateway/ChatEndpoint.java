package dev.espalier.gateway;

import dev.espalier.chat.ChatRequest;
import dev.espalier.store.Api;
import dev.espalier.store.Outcome;
import dev.espalier.store.Route.Target;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.concurrent.Semaphore;

/// `POST /v1/chat/completions` and `POST /anthropic/v1/messages`.
final class ChatEndpoint implements Handler {
  private static final System.Logger LOG = System.getLogger(ChatEndpoint.class.getName());

  private final Api api;
  private final Routes routes;
  private final LocalModels local;
  private final UpstreamCall upstreams;
  private final Recorder recorder;
  private final Metrics metrics;
  private final Access access;
  private final Semaphore slots;
  private final int maxBody;

  ChatEndpoint(
      Api api,
      Routes routes,
      LocalModels local,
      UpstreamCall upstreams,
      Recorder recorder,
      Metrics metrics,
      Access access,
      Semaphore slots,
      int maxBody) {
    this.api = api;
    this.routes = routes;
    this.local = local;
    this.upstreams = upstreams;
    this.recorder = recorder;
    this.metrics = metrics;
    this.access = access;
    this.slots = slots;
    this.maxBody = maxBody;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    long start = System.nanoTime();
    access.checkClient(request);
    try (var place = new Place(slots, metrics)) {
      place.take();
      handle(request, response, place, start);
    }
  }

  private void handle(ServerRequest request, ServerResponse response, Place place, long start) {
    var id = RequestId.next();
    response.header(Exchange.REQUEST_ID, id);
    var exchange = Exchange.of(api, request, id, start, RequestBody.read(request, maxBody));
    try {
      var chat = exchange.chat();
      Tags.of(exchange);
      answer(exchange, chat, routes.targets(exchange.model(), api), place, response);
    } catch (ApiError e) {
      fail(exchange, e, response);
    } catch (CloseConnectionException e) {
      throw e;
    } catch (RuntimeException e) {
      if (response.isSent()) throw e;
      LOG.log(System.Logger.Level.ERROR, "a request failed", e);
      fail(exchange, ApiError.internal(e), response);
    }
  }

  private void answer(
      Exchange exchange,
      ChatRequest chat,
      List<Target> targets,
      Place place,
      ServerResponse response) {
    for (int i = 0; i < targets.size(); i++) {
      boolean last = i == targets.size() - 1;
      if (i > 0) metrics.fellBack.increment();
      try {
        var served = Served.by(targets.get(i), exchange.model(), i > 0);
        if (tryAnswer(exchange, chat, targets.get(i), served, last, place, response)) return;
      } catch (ApiError e) {
        if (last || !e.mayFallBack()) throw e;
      }
    }
  }

  /// False if the target answered with an error that its fallback is for.
  private boolean tryAnswer(
      Exchange exchange,
      ChatRequest chat,
      Target target,
      Served served,
      boolean last,
      Place place,
      ServerResponse response) {
    return switch (target) {
      case Target.Adapter(var name) -> {
        if (api != Api.OPENAI) {
          throw ApiError.badRequest(
              "\"%s\" is answered by a model of this process, in OpenAI's format only"
                  .formatted(exchange.model()),
              "model");
        }
        place.close(); // the model's own queue limits these, and they must not be in others' way
        new LocalAnswer(answer -> recorder.record(exchange, answer), exchange, served, local, name)
            .run(chat, response);
        yield true;
      }
      case Target.Upstream(var name, var model) -> {
        place.take();
        var body = model == null ? exchange.body() : ModelName.replace(exchange.body(), model);
        try (var answer = upstreams.send(upstream(name), path(), exchange, body)) {
          boolean failed = answer.status() == 429 || answer.status() >= 500;
          if (failed && !last) yield false;
          new Relay(recorder, exchange, served, answer, response).run();
          yield true;
        } catch (ClientGone e) {
          recorder.record(exchange, Answer.toNobody(served, exchange.elapsedMs()));
          throw new CloseConnectionException("the client went away", e);
        }
      }
    };
  }

  private Upstream upstream(String name) {
    var upstream = routes.upstream(name);
    if (upstream == null) {
      var message = "the route's upstream \"%s\" is not configured any more".formatted(name);
      throw new ApiError(503, message, null, "upstream_unavailable");
    }
    if (!upstream.apis().contains(api)) {
      var message = "upstream \"%s\" does not speak %s's API".formatted(name, api.wire());
      throw ApiError.badRequest(message, "model");
    }
    return upstream;
  }

  private String path() {
    return switch (api) {
      case OPENAI -> "/chat/completions";
      case ANTHROPIC -> "/messages";
    };
  }

  private void fail(Exchange exchange, ApiError error, ServerResponse response) {
    var body = error.body(api);
    var now = exchange.elapsedMs();
    recorder.record(
        exchange,
        new Answer(Served.nobody(), error.status(), Outcome.FAILED, false, body, null, now, false));
    error.send(api, response);
  }
}

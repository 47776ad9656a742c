package dev.espalier.gateway;

import dev.espalier.chat.Json;
import dev.espalier.store.Api;
import dev.espalier.store.Route.Target;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// `GET /v1/models` and `GET /v1/models/{model}`: what is served here and what the upstreams list.
final class ModelsEndpoint implements Handler {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final Routes routes;
  private final LocalModels local;
  private final UpstreamCall call;
  private final GatewayConfig config;

  ModelsEndpoint(Routes routes, LocalModels local, UpstreamCall call, GatewayConfig config) {
    this.routes = routes;
    this.local = local;
    this.call = call;
    this.config = config;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    var models = models(request);
    var name = request.path().pathParameters().first("model").orElse(null);
    if (name == null) {
      JsonResponse.send(response, list(models.values()));
      return;
    }
    var model = models.get(name);
    if (model == null) throw ApiError.unknownModel(name);
    JsonResponse.send(response, model);
  }

  private Map<String, JsonNode> models(ServerRequest request) {
    var models = new LinkedHashMap<String, JsonNode>();
    for (var name : local.names()) models.put(name, model(name));
    for (var route : routes.all()) {
      if (route.targets().stream().anyMatch(this::answers))
        models.putIfAbsent(route.model(), model(route.model()));
    }
    for (var upstream : config.upstreams()) {
      if (!upstream.apis().contains(Api.OPENAI)) continue;
      for (var name : upstream.models()) {
        if (name.indexOf('*') < 0) models.putIfAbsent(name, model(name));
      }
      for (var model : listed(upstream, request)) {
        var id = model.path("id").asString("");
        if (upstream.answers(id)) models.putIfAbsent(id, model);
      }
    }
    return models;
  }

  /// Whether it is there; an adapter may have been deleted, or be of another base than this process
  /// serves.
  private boolean answers(Target target) {
    return !(target instanceof Target.Adapter(var name)) || local.find(name) != null;
  }

  static JsonNode list(Collection<JsonNode> models) {
    var json = Json.object().put("object", "list");
    json.putArray("data").addAll(models);
    return json;
  }

  static JsonNode model(String name) {
    return Json.object()
        .put("id", name)
        .put("object", "model")
        .put("created", 0)
        .put("owned_by", "espalier");
  }

  /// What an upstream lists; nothing where it cannot be asked, so that the others still show.
  private JsonNode listed(Upstream upstream, ServerRequest request) {
    try {
      var exchange = Exchange.of(Api.OPENAI, request, "", System.nanoTime(), new byte[0]);
      var body = call.get(upstream, "/models", exchange, TIMEOUT);
      return Json.MAPPER.readTree(body).path("data");
    } catch (ApiError | JacksonException unavailable) {
      return Json.array();
    }
  }
}

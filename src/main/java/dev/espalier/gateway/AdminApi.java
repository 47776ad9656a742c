package dev.espalier.gateway;

import dev.espalier.chat.Json;
import dev.espalier.store.Feedback;
import dev.espalier.store.Price;
import dev.espalier.store.Route;
import dev.espalier.store.Route.Target;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import tools.jackson.databind.node.ObjectNode;

/// `/api`: routes, keys, prices, feedback.
final class AdminApi implements HttpService {
  private static final int MAX_BODY = 1 << 20;

  private final Routes routes;
  private final Keys keys;
  private final Recorder recorder;
  private final Access access;

  AdminApi(Routes routes, Keys keys, Recorder recorder, Access access) {
    this.routes = routes;
    this.keys = keys;
    this.recorder = recorder;
    this.access = access;
  }

  @Override
  public void routing(HttpRules rules) {
    rules
        .get("/routes", admin((request, response) -> JsonResponse.send(response, allRoutes())))
        .get("/routes/{+model}", admin(this::getRoute))
        .put("/routes/{+model}", admin(this::putRoute))
        .delete("/routes/{+model}", admin(this::deleteRoute))
        .get("/keys", admin((request, response) -> JsonResponse.send(response, allKeys())))
        .post("/keys", admin(this::issueKey))
        .delete("/keys/{id}", admin(this::revokeKey))
        .get("/prices", admin((request, response) -> JsonResponse.send(response, allPrices())))
        .put("/prices/{+model}", admin(this::putPrice))
        .post("/feedback", client(this::addFeedback));
  }

  private Handler admin(Handler handler) {
    return (request, response) -> {
      access.checkAdmin(request);
      checked(handler, request, response);
    };
  }

  /// Feedback comes from applications, so what opens the model endpoints opens it too.
  private Handler client(Handler handler) {
    return (request, response) -> {
      access.checkClient(request);
      checked(handler, request, response);
    };
  }

  private static void checked(Handler handler, ServerRequest request, ServerResponse response)
      throws Exception {
    try {
      handler.handle(request, response);
    } catch (IllegalArgumentException e) {
      throw ApiError.badRequest(String.valueOf(e.getMessage()), null);
    }
  }

  private ObjectNode allRoutes() {
    var json = Json.object();
    var list = json.putArray("routes");
    for (var route : routes.all()) list.add(json(route));
    return json;
  }

  private static ObjectNode json(Route route) {
    var json = Json.object().put("model", route.model());
    json.set("target", route.target().json());
    if (route.fallback() != null) json.set("fallback", route.fallback().json());
    return json;
  }

  private void getRoute(ServerRequest request, ServerResponse response) {
    var route = routes.route(param(request, "model"));
    if (route == null) throw noRoute(request);
    JsonResponse.send(response, json(route));
  }

  private void putRoute(ServerRequest request, ServerResponse response) {
    var fields = fields(request, "a route");
    var target = fields.get("target");
    if (target == null) {
      throw new IllegalArgumentException(
          "a route needs \"target\": {\"upstream\": NAME, \"model\": NAME} or {\"adapter\": NAME}");
    }
    var fallback = fields.get("fallback");
    fields.noMore();
    var model = param(request, "model");
    var route = new Route(model, Target.of(target), fallback == null ? null : Target.of(fallback));
    routes.put(route);
    JsonResponse.send(response, json(route));
  }

  private void deleteRoute(ServerRequest request, ServerResponse response) {
    if (!routes.delete(param(request, "model"))) throw noRoute(request);
    JsonResponse.send(response, Json.object().put("deleted", true));
  }

  private static ApiError noRoute(ServerRequest request) {
    var message = "there is no route for \"%s\"".formatted(param(request, "model"));
    return new ApiError(404, message, "model", "not_found");
  }

  private ObjectNode allKeys() {
    var json = Json.object();
    var list = json.putArray("keys");
    for (var key : keys.all()) {
      list.addObject()
          .put("id", key.id())
          .put("name", key.name())
          .put("created", key.created().toString());
    }
    return json;
  }

  private void issueKey(ServerRequest request, ServerResponse response) {
    var fields = fields(request, "a key");
    var name = fields.needText("name");
    fields.noMore();
    var issued = keys.issue(name);
    var json = Json.object().put("id", issued.key().id()).put("name", name);
    JsonResponse.send(response, json.put("key", issued.text()));
  }

  private void revokeKey(ServerRequest request, ServerResponse response) {
    if (!keys.revoke(param(request, "id"))) {
      throw new ApiError(404, "there is no key of that id", "id", "not_found");
    }
    JsonResponse.send(response, Json.object().put("deleted", true));
  }

  private ObjectNode allPrices() {
    var json = Json.object();
    var prices = json.putObject("prices");
    for (var price : recorder.prices()) {
      prices
          .putObject(price.model())
          .put("input", price.input())
          .put("output", price.output())
          .put("cached_input", price.cachedInput());
    }
    return json;
  }

  private void putPrice(ServerRequest request, ServerResponse response) {
    recorder.put(price(param(request, "model"), fields(request, "a price")));
    JsonResponse.send(response, allPrices());
  }

  /// `{"input": 2.5, "output": 10, "cached_input": 1.25}`, per million tokens.
  static Price price(String model, Fields fields) {
    var input = fields.number("input");
    var output = fields.number("output");
    if (input == null || output == null) {
      throw new IllegalArgumentException("a price needs \"input\" and \"output\"");
    }
    var price = new Price(model, input, output, fields.number("cached_input", input));
    fields.noMore();
    return price;
  }

  private void addFeedback(ServerRequest request, ServerResponse response) {
    var fields = fields(request, "feedback");
    var id = fields.needText("request_id");
    var feedback =
        new Feedback(
            id,
            Instant.now(),
            fields.number("score"),
            fields.text("label"),
            fields.text("comment"));
    fields.noMore();
    if (!recorder.add(feedback)) {
      var message = "there is no captured request \"%s\"".formatted(id);
      throw new ApiError(404, message, "request_id", "not_found");
    }
    JsonResponse.send(response, Json.object().put("request_id", id));
  }

  private static String param(ServerRequest request, String name) {
    return request.path().pathParameters().get(name);
  }

  private static Fields fields(ServerRequest request, String what) {
    return Fields.parse(RequestBody.read(request, MAX_BODY), what);
  }
}

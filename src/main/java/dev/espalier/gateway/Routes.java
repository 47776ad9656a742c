package dev.espalier.gateway;

import dev.espalier.store.Api;
import dev.espalier.store.Route;
import dev.espalier.store.Route.Target;
import dev.espalier.store.Store;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/// Who answers a model's name: a route, else a local model of that name, else the first upstream
/// that answers it.
final class Routes {
  private final Store store;
  private final LocalModels local;
  private final List<Upstream> upstreams;
  private final Map<String, Route> routes = new ConcurrentSkipListMap<>();

  Routes(Store store, LocalModels local, List<Upstream> upstreams) {
    this.store = store;
    this.local = local;
    this.upstreams = upstreams;
    for (var route : store.routes()) routes.put(route.model(), route);
  }

  List<Route> all() {
    return List.copyOf(routes.values());
  }

  @Nullable Route route(String model) {
    return routes.get(model);
  }

  /// Sets a route from now on and for later starts.
  void put(Route route) {
    route.targets().forEach(this::check);
    store.put(route);
    routes.put(route.model(), route);
  }

  boolean delete(String model) {
    routes.remove(model);
    return store.deleteRoute(model);
  }

  private void check(Target target) {
    switch (target) {
      case Target.Upstream(var name, var model) -> {
        if (upstream(name) == null) {
          var names = String.join(", ", upstreams.stream().map(Upstream::name).toList());
          throw ApiError.badRequest(
              "there is no upstream \"%s\"; configured are: %s".formatted(name, names), "upstream");
        }
      }
      case Target.Adapter(var name) -> {
        if (local.find(name) == null) {
          var why = local.whyNot(name);
          if (why != null) throw ApiError.badRequest(why, "adapter");
          throw ApiError.badRequest(
              "there is no adapter \"%s\"; served here are: %s"
                  .formatted(name, String.join(", ", local.names())),
              "adapter");
        }
      }
    }
  }

  @Nullable Upstream upstream(String name) {
    for (var upstream : upstreams) if (upstream.name().equals(name)) return upstream;
    return null;
  }

  /// Who may answer, in order of preference.
  ///
  /// @throws ApiError with status 404 if nobody does
  List<Target> targets(String model, Api api) {
    var route = routes.get(model);
    if (route != null) return route.targets();
    if (api == Api.OPENAI && local.find(model) != null) return List.of(new Target.Adapter(model));
    for (var upstream : upstreams) {
      if (upstream.apis().contains(api) && upstream.answers(model)) {
        return List.of(new Target.Upstream(upstream.name(), null));
      }
    }
    throw ApiError.unknownModel(model, local.whyNot(model));
  }
}

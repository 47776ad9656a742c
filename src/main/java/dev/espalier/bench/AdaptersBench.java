package dev.espalier.bench;

import dev.espalier.chat.Json;
import dev.espalier.engine.Adapter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// 32 streams: of eight adapters, of one, of 32, and of the base alone, in turns; then many
/// adapters that are loaded on demand, and streams beside the training of one.
final class AdaptersBench {
  private static final int STREAMS = 32;
  private static final int ADAPTERS = 8;
  private static final int RANK = 16;

  private AdaptersBench() {}

  static ObjectNode run(Subject subject, int runs, Peers peers) {
    var adapters = new ArrayList<Adapter>();
    for (int i = 0; i < STREAMS; i++) adapters.add(subject.adapter(i, RANK));
    double bytes = adapters.stream().mapToLong(it -> it.lora().bytes()).sum();
    double bandwidth = Machine.bandwidth(runs);
    var mixed = new double[runs];
    var single = new double[runs];
    var base = new double[runs];
    var singleLimit = new double[runs];
    var baseLimit = new double[runs];
    var added = new double[runs];
    double reading = bytes / STREAMS / bandwidth; // seconds for an adapter
    Machine.warmUp(() -> {
      rate(subject, adapters);
      rate(subject, List.of());
    });
    for (int i = 0; i < runs; i++) {
      double ofMixed = rate(subject, adapters.subList(0, ADAPTERS));
      double ofSingle = rate(subject, adapters.subList(0, 1));
      double ofBase = rate(subject, List.of());
      double ofMany = rate(subject, adapters);
      mixed[i] = ofMixed;
      single[i] = ofMixed / ofSingle;
      base[i] = ofMixed / ofBase;
      singleLimit[i] = left(STREAMS / ofSingle, (ADAPTERS - 1) * reading);
      baseLimit[i] = left(STREAMS / ofBase, ADAPTERS * reading);
      added[i] = STREAMS * (1 / ofMany - 1 / ofBase) / (bytes / bandwidth);
    }
    adapters.forEach(Adapter::close);
    var json =
        Json.object()
            .put("tokens_per_second", Machine.median(mixed))
            .put("mixed_vs_single", Machine.median(single))
            .put("mixed_vs_single_limit", Machine.median(singleLimit))
            .put("mixed_vs_base", Machine.median(base))
            .put("mixed_vs_base_limit", Machine.median(baseLimit))
            .put("added32_vs_bandwidth", Machine.median(added))
            .put("bandwidth_gb_per_second", bandwidth / 1e9);
    Registered.measure(subject, runs, bandwidth, json);
    BesideTraining.measure(subject, runs, json);
    double rate = Machine.median(mixed);
    peers.ratio(json, "vs_llamacpp", rate, "mixed_tokens_per_second", "llamacpp/run");
    peers.ratio(json, "vs_llamacpp_without", rate, "streams_tokens_per_second", "llamacpp/run");
    peers.ratio(json, "vs_vllm", rate, "vllm_mixed_tokens_per_second", "vllm/run");
    peers.ratio(json, "vs_vllm_without", rate, "vllm_streams_tokens_per_second", "vllm/run");
    peers.ratio(json, "vs_peft", rate, "adapters_tokens_per_second", "peft/run");
    return json;
  }

  /// The part of the speed that is left of a step to which reading is added.
  static double left(double step, double reading) {
    return step / (step + reading);
  }

  /// Tokens a second of streams that take adapters in turn.
  private static double rate(Subject subject, List<Adapter> adapters) {
    var of = new ArrayList<@Nullable Adapter>();
    for (int i = 0; i < STREAMS; i++) {
      of.add(adapters.isEmpty() ? null : adapters.get(i % adapters.size()));
    }
    return Streams.run(subject, subject.texts(STREAMS, subject.length()), of, subject.length())
        .rate();
  }
}

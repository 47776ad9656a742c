package dev.espalier.bench;

import dev.espalier.chat.Json;
import java.util.Collections;
import tools.jackson.databind.node.ObjectNode;

/// One stream: how near it comes to reading all weights once a token at the memory's bandwidth.
final class ServeBench {
  private static final int PROMPT = 128;
  private static final int TOKENS = 128;

  private ServeBench() {}

  static ObjectNode run(Subject subject, int runs, Peers peers) {
    Machine.warmUp(() -> rate(subject));
    var rates = new double[runs];
    for (int i = 0; i < runs; i++) rates[i] = rate(subject);
    double rate = Machine.median(rates);
    double bandwidth = Machine.bandwidth(runs);
    var json =
        Json.object()
            .put("tokens_per_second", rate)
            .put("bandwidth_gb_per_second", bandwidth / 1e9)
            .put("decode_vs_bandwidth", rate * subject.bytesAToken() / bandwidth);
    peers.ratio(
        json, "vs_llamacpp_one_stream", rate, "one_stream_tokens_per_second", "llamacpp/run");
    peers.ratio(json, "vs_vllm_one_stream", rate, "vllm_one_stream_tokens_per_second", "vllm/run");
    return json;
  }

  private static double rate(Subject subject) {
    var prompts = subject.texts(1, PROMPT);
    return Streams.run(subject, prompts, Collections.singletonList(null), TOKENS).rate();
  }
}

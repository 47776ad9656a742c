// Greedy decoding by llama.cpp, one stream and 32 in one batch: llama_bench.mjs SIZE GGUF [RUNS] [THREADS] [STREAMS]. Prints one JSON object with
// the medians; with STREAMS 0 of one stream alone, for 32 of size m take many minutes. The 32 have no adapters: llama.cpp's contexts have the same ones for all of their sequences.
import { getLlama } from "node-llama-cpp";

const PROMPT = 128;
const TOKENS = 128;
const [size, file, runs = "5", threads = "2", streams = "32"] = process.argv.slice(2);

const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
const llama = await getLlama({ gpu: false, build: "never", maxThreads: Number(threads), logLevel: "error" });
const model = await llama.loadModel({ modelPath: file, useMmap: true });
const context = await model.createContext({ contextSize: 512, threads: { ideal: Number(threads), min: Number(threads) } });
const rates = [];
for (let run = -1; run < Number(runs); run++) {
  const sequence = context.getSequence();
  const prompt = Array.from({ length: PROMPT }, (_, i) => 300 + ((i * 37 + run * 101 + 500) % 3000));
  let first = 0;
  let count = 0;
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    if (count++ === 0) first = performance.now();
    if (count === TOKENS) break;
  }
  if (run >= 0) rates.push(((count - 1) * 1000) / (performance.now() - first));
  sequence.dispose();
}
await context.dispose();

const STREAMS = Number(streams);
if (STREAMS === 0) {
  console.log(JSON.stringify({ size, one_stream_tokens_per_second: median(rates) }));
  process.exit(0);
}
const SHORT = 64; // tokens of a prompt and of an answer, as in Espalier's bench adapters
const wide = await model.createContext({
  contextSize: 256, sequences: STREAMS, batchSize: 2048, threads: { ideal: Number(threads), min: Number(threads) },
});
const sequences = Array.from({ length: STREAMS }, () => wide.getSequence());
const together = [];
for (let run = -1; run < Number(runs); run++) {
  let started = 0;
  let begin = 0;
  let end = 0;
  let tokens = 0; // since all streams had their first
  await Promise.all(sequences.map(async (sequence, stream) => {
    await sequence.clearHistory();
    const prompt = Array.from({ length: SHORT }, (_, i) => 300 + ((i * 37 + stream * 53 + run * 101 + 500) % 3000));
    let count = 0;
    for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      if (started === STREAMS) tokens++;
      if (count++ === 0 && ++started === STREAMS) begin = performance.now();
      if (count === SHORT) break;
    }
    end = Math.max(end, performance.now());
  }));
  if (run >= 0) together.push((tokens * 1000) / (end - begin));
}
console.log(JSON.stringify({ size, one_stream_tokens_per_second: median(rates), streams_tokens_per_second: median(together) }));
process.exit(0);

// One greedy stream by llama.cpp: llama_bench.mjs SIZE GGUF [RUNS] [THREADS]. Prints one JSON object with the median.
import { getLlama } from "node-llama-cpp";

const PROMPT = 128;
const TOKENS = 128;
const [size, file, runs = "5", threads = "2"] = process.argv.slice(2);

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
rates.sort((a, b) => a - b);
console.log(JSON.stringify({ size, one_stream_tokens_per_second: rates[Math.floor(rates.length / 2)] }));
process.exit(0);

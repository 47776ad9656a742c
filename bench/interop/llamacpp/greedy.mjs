// Greedy tokens by llama.cpp: greedy.mjs MODEL.gguf ADAPTER.gguf|none COUNT, and prompts as JSON lists of token ids on standard input.
import { createInterface } from "node:readline";
import { getLlama } from "node-llama-cpp";

const [path, adapter, count] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: 1 });
const model = await llama.loadModel({ modelPath: path });
const lora = adapter === "none" ? undefined : { adapters: [{ filePath: adapter }] };
for await (const line of createInterface({ input: process.stdin })) {
  const context = await model.createContext({ contextSize: 512, lora });
  const tokens = [];
  for await (const token of context.getSequence().evaluate(JSON.parse(line), { temperature: 0 })) {
    if (tokens.push(token) === Number(count)) break;
  }
  console.log(JSON.stringify(tokens));
  await context.dispose();
}
process.exit(0);

// 64 clients, each with its next request as soon as it has an answer: load.mjs NAME URL [SECONDS] [HEADER=VALUE...]. Prints one JSON object:
// requests a second, and milliseconds of the median and the 99th of 100 requests. Any status but 200 ends it.
import { Agent, request } from "node:http";

const CLIENTS = 64;
const [name, url, seconds = "5", ...headers] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
const body = JSON.stringify({ model: "large", messages: [{ role: "user", content: "Is there a berth for two nights from Friday?" }] });
const options = {
  agent, method: "POST",
  headers: {
    "content-type": "application/json", "content-length": Buffer.byteLength(body), authorization: "Bearer none",
    ...Object.fromEntries(headers.map((header) => header.split("="))),
  },
};

const ask = () => new Promise((resolve, reject) => {
  const begin = performance.now();
  const sent = request(`${url}/chat/completions`, options, (response) => {
    if (response.statusCode !== 200) reject(new Error(`${name} answers ${response.statusCode}`));
    response.resume();
    response.on("end", () => resolve(performance.now() - begin));
  });
  sent.on("error", reject);
  sent.end(body);
});

async function load(length) {
  const until = performance.now() + length * 1000;
  const times = [];
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (performance.now() < until) times.push(await ask());
  }));
  return times.sort((a, b) => a - b);
}

await load(Math.max(3, Number(seconds) / 2));
const times = await load(Number(seconds));
console.log(JSON.stringify({
  name, rate: times.length / Number(seconds), p50_ms: times[Math.floor(times.length / 2)], p99_ms: times[Math.floor(times.length * 0.99)],
}));
process.exit(0);

// An upstream that answers every chat completion at once: upstream.mjs PORT.
import { createServer } from "node:http";

const answer = JSON.stringify({
  id: "chatcmpl-1", object: "chat.completion", created: 1, model: "large",
  choices: [{ index: 0, message: { role: "assistant", content: "Berth 12 is free." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 20, completion_tokens: 6, total_tokens: 26 },
});
createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(answer));
}).listen(Number(process.argv[2]), "127.0.0.1");

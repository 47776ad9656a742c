// The `openai` package for Node as its users use it.
import { appendFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import OpenAI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "openai";

const { INTEROP_URL, INTEROP_KEY, INTEROP_WIRE, INTEROP_SCRIPT } = process.env;
const { scenarios, text, tools, usage } = JSON.parse(INTEROP_SCRIPT);
const model = "scripted-1";

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/** `fetch` that writes down what was sent and what came back, to its end or to where it broke. */
async function recordingFetch(url, init) {
  const response = await fetch(url, init);
  if (!response.body) return response;
  const parts = [];
  let noted = false; // a cancelled read also ends
  const note = (whole) => {
    if (noted) return;
    noted = true;
    const line = { sent: base64(init.body ?? ""), status: response.status, received: base64(Buffer.concat(parts)), whole };
    appendFileSync(INTEROP_WIRE, JSON.stringify(line) + "\n");
  };
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          note(true);
          return controller.close();
        }
        parts.push(value);
        controller.enqueue(value);
      } catch (broken) {
        note(false);
        controller.error(broken);
      }
    },
    cancel(reason) {
      note(false);
      return reader.cancel(reason);
    },
  });
  return new Response(body, response);
}

const client = new OpenAI({ baseURL: `${INTEROP_URL}/v1`, apiKey: INTEROP_KEY, maxRetries: 0, timeout: 20000, fetch: recordingFetch });

let count = 0;
const say = (scenario) => `[${scenario}] node-${++count}`;
const ask = (scenario, more = {}, options = {}) =>
  client.chat.completions.create({ model, messages: [{ role: "user", content: say(scenario) }], ...more }, options);

function same(actual, expected) {
  if (!isDeepStrictEqual(actual, expected)) throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
}

async function raises(kind, act) {
  try {
    await act();
  } catch (failure) {
    if (failure instanceof kind) return failure;
    throw new Error(`${failure.constructor.name} (${failure.message}) where ${kind.name} was due`);
  }
  throw new Error(`nothing was raised where ${kind.name} was due`);
}

async function gather(stream) {
  const found = { texts: {}, calls: [], finish: null, usage: null };
  for await (const chunk of await stream) {
    same(chunk.x_upstream, { cost: 0.00125, region: "eu-1" });
    found.usage = chunk.usage ?? found.usage;
    for (const { index, delta, finish_reason } of chunk.choices) {
      found.texts[index] = (found.texts[index] ?? "") + (delta.content ?? "");
      found.finish = finish_reason ?? found.finish;
      for (const piece of delta.tool_calls ?? []) {
        const call = (found.calls[piece.index] ??= { id: piece.id, name: piece.function.name, arguments: "" });
        call.arguments += piece.function.arguments ?? "";
      }
    }
  }
  return found;
}

const scriptedCalls = scenarios.tools.completion.choices[0].message.tool_calls;
const refused = async (scenario, kind, more) => {
  const failure = await raises(kind, () => ask(scenario, more));
  same(failure.status, scenarios[scenario].status);
  same(failure.error, scenarios[scenario].body.error);
  return failure;
};

const cases = {
  async plain() {
    const reply = await ask("plain");
    same(reply.choices[0].message.content, text);
    same(reply.usage, usage);
    same(reply.x_upstream, { cost: 0.00125, region: "eu-1" });
    same(reply._request_id, `req_node-${count}`);
  },
  async unknown_fields_go_up() {
    const reply = await ask("plain", { x_mine: { deep: [1, 2.5, null, "é"] }, seed: 7, metadata: { team: "kitchen" } });
    same(reply.choices[0].message.content, text);
  },
  async several_choices() {
    same((await ask("choices", { n: 2 })).choices.map((c) => c.message.content), ["one", "two"]);
  },
  async compressed_response() {
    same((await ask("zip")).choices[0].message.content, text.repeat(20));
  },
  async streaming() {
    same(await gather(ask("plain", { stream: true })), { texts: { 0: text }, calls: [], finish: "stop", usage: null });
  },
  async streaming_with_usage() {
    same((await gather(ask("plain", { stream: true, stream_options: { include_usage: true } }))).usage, usage);
  },
  async streaming_oddly_written() {
    same((await gather(ask("odd", { stream: true }))).texts, { 0: text });
  },
  async stream_is_not_held_back() {
    const arrivals = [];
    for await (const _ of await ask("slow", { stream: true })) arrivals.push(performance.now());
    same(arrivals.at(-1) - arrivals[0] > 500, true);
  },
  async accumulated_by_the_sdk() {
    const stream = client.chat.completions.stream({ model, messages: [{ role: "user", content: say("tools") }], tools });
    same((await stream.finalMessage()).tool_calls.map((c) => c.function.arguments), scriptedCalls.map((c) => c.function.arguments));
  },
  async tools() {
    same((await ask("tools", { tools })).choices[0].message.tool_calls, scriptedCalls);
  },
  async tools_streamed_in_pieces() {
    const { calls, finish } = await gather(ask("tools", { tools, stream: true }));
    same(calls, scriptedCalls.map((c) => ({ id: c.id, ...c.function })));
    same(finish, "tool_calls");
  },
  async several_turns() {
    const messages = [{ role: "user", content: say("tools") }];
    for (let turn = 0; turn < 2; turn++) {
      const { message } = (await client.chat.completions.create({ model, messages, tools })).choices[0];
      messages.push(message);
      for (const call of message.tool_calls ?? []) messages.push({ role: "tool", tool_call_id: call.id, content: say("after-tool") });
    }
    same(messages.at(-1).content, "A table for four is held.");
  },
  async error_400() {
    same((await refused("bad", BadRequestError)).param, "temperature");
  },
  async error_401() {
    await refused("denied", AuthenticationError);
  },
  async error_404() {
    await refused("missing", NotFoundError);
  },
  async error_429() {
    same((await refused("limited", RateLimitError)).headers.get("retry-after"), "7");
  },
  async error_429_to_a_stream() {
    await refused("limited", RateLimitError, { stream: true });
  },
  async error_500() {
    await refused("broken", InternalServerError);
  },
  async error_that_is_not_json() {
    same((await raises(InternalServerError, () => ask("html"))).status, 502);
  },
  async sdk_tries_again() {
    same((await ask("retry", {}, { maxRetries: 2 })).choices[0].message.content, "second time lucky");
  },
  async stream_cut_in_the_middle() {
    await raises(Error, () => gather(ask("cut", { stream: true })));
  },
  async error_in_the_middle_of_a_stream() {
    same((await raises(OpenAI.APIError, () => gather(ask("late-error", { stream: true })))).error.message, "the model fell over");
  },
  async time_out() {
    await raises(APIConnectionTimeoutError, () => ask("hang", {}, { timeout: 700 }));
  },
  async client_leaves_a_stream() {
    const stream = await ask("slow", { stream: true });
    for await (const _ of stream) break;
    same(stream.controller.signal.aborted, true);
  },
  async models_are_listed() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    same(ids.includes(model), true);
  },
  async nobody_listens() {
    await raises(APIConnectionError, () => client.withOptions({ baseURL: "http://127.0.0.1:9/v1" }).models.list());
  },
  async many_at_a_time() {
    const replies = await Promise.all(
      Array.from({ length: 32 }, async (_, i) => {
        if (i % 2) return (await ask("plain")).choices[0].message.content;
        return (await gather(ask("plain", { stream: true }))).texts[0];
      }),
    );
    same(new Set(replies), new Set([text]));
  },
};

for (const [name, act] of Object.entries(cases)) {
  let why = null;
  await act().catch((failure) => (why = `${failure.constructor.name}: ${failure.message}`));
  console.log(JSON.stringify({ client: "node", case: name, ok: why === null, why }));
}

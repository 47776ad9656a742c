// Runs a request's code as a script and reports what came of it. The code shares this realm and may
// overwrite whatever it reaches, so all that is used after it ran is taken hold of before.
const { log, error: report } = console;
const { parse, stringify } = JSON;
const { apply } = Reflect;
const { Error, String, TypeError } = globalThis;
const script = eval; // called by another name it sees the globals and nothing of this file
const request = parse(REQUEST);

// What the engine offers beyond the language: its host's functions.
delete globalThis.java_invoke;
delete globalThis.Javy;
delete globalThis.plugin;

function finite(key, value) {
  if (typeof value === 'number' && value - value !== 0) throw new TypeError(value + ' is not JSON');
  return value;
}

function json(value) {
  try {
    return stringify(value, finite);
  } catch {
    return undefined;
  }
}

function text(value) {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value + 'n';
  try {
    return (typeof value === 'object' && !(value instanceof Error) && json(value)) || String(value);
  } catch {
    return 'something that cannot be shown';
  }
}

function print(...values) {
  let line = '';
  for (let i = 0; i < values.length; i++) line += (i ? ' ' : '') + text(values[i]);
  log(line);
}

globalThis.console = { log: print, info: print, debug: print, warn: print, error: print };

function thrown(error) {
  try {
    if (error instanceof Error) return String(error) + '\n' + error.stack;
  } catch {
    // an error that does not let itself be shown is told as any other value
  }
  return text(error) + ' was thrown';
}

try {
  let value;
  if (request.function) {
    const called = script(request.code + '\n;' + request.function);
    value = await apply(called, undefined, request.arguments);
  } else {
    value = await script(request.code);
  }
  const told = json(value);
  report(told === undefined ? '{}' : '{"value":' + told + '}');
} catch (error) {
  report('{"error":' + stringify(thrown(error)) + '}');
}

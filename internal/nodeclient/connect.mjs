// Connects to a WebSocket server and prints one JSON line for everything that happens.
//
//   node connect.mjs URL [--header "Name: value"]... [--protocol NAME]...
//                        [--send TEXT] [--close-after-message]
//
// A header given twice is sent twice. Exits with 0 after a close or a refused handshake, with 1 after an error;
// five minutes without an end are an error.

import { parseArgs } from 'node:util';
import WebSocket from 'ws';

const timeout = 300_000;

function say(event, details = {}) {
  console.log(JSON.stringify({ event, ...details }));
}

function fail(error) {
  say('error', { message: error.message || error.code || String(error) });
  process.exit(1);
}

function parseHeaders(lines) {
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a header: ${line}`);
    (headers[line.slice(0, colon).trim()] ??= []).push(line.slice(colon + 1).trim());
  }
  return headers;
}

function connect() {
  const { positionals, values: options } = parseArgs({
    allowPositionals: true,
    options: {
      header: { type: 'string', multiple: true, default: [] },
      protocol: { type: 'string', multiple: true, default: [] },
      send: { type: 'string' },
      'close-after-message': { type: 'boolean', default: false },
    },
  });
  if (positionals.length !== 1) throw new Error('want exactly one URL');

  const socket = new WebSocket(positionals[0], options.protocol, { headers: parseHeaders(options.header) });

  socket.on('open', () => {
    say('open', { protocol: socket.protocol });
    if (options.send !== undefined) socket.send(options.send);
  });
  socket.on('message', (data) => {
    say('message', { data: data.toString() });
    if (options['close-after-message']) socket.close(1000);
  });
  socket.on('close', (code, reason) => {
    say('close', { code, reason: reason.toString() });
    process.exit(0);
  });
  socket.on('unexpected-response', async (_request, response) => {
    try {
      const chunks = await response.toArray();
      say('refused', { status: response.statusCode, body: Buffer.concat(chunks).toString() });
      process.exit(0);
    } catch (error) {
      fail(error);
    }
  });
  socket.on('error', fail);
}

setTimeout(() => fail(new Error('timeout')), timeout);
try {
  connect();
} catch (error) {
  fail(error);
}

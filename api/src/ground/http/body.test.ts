// Bodies that end before they are whole: the sender's own affair, and no fault of ours or of the database.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken } from '../../product/consent/link.ts';
import { makeLog } from '../lib/log.ts';

const lines: { level: string; msg: string; method?: string; status?: number; error?: string }[] = [];
let server: TestServer;
before(async () => {
  const log = makeLog('info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  server = await startServer({}, undefined, log);
});
after(() => server.end());

/** Sends the head of a request and a part of its body, and hangs up. */
function hangUp(path: string, headers: string[], reset: boolean): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  const head = [`POST ${path} HTTP/1.1`, 'Host: bakery.example', 'Content-Length: 1000', ...headers];
  socket.write(`${head.join('\r\n')}\r\n\r\n{"email"`);
  return new Promise((done) => {
    socket.on('close', () => done());
    // the server has begun to read by then; should it not have, the request is as unfinished
    setTimeout(() => (reset ? socket.resetAndDestroy() : socket.destroy()), 50);
  });
}

async function requestLine(): Promise<(typeof lines)[number]> {
  for (let i = 0; i < 200; i += 1) {
    const line = lines.find(({ method }) => method === 'POST');
    if (line) return line;
    await new Promise((done) => setTimeout(done, 25));
  }
  return assert.fail('the request left no line in the log');
}

test('a sender that hangs up in the middle of a body is never a 5xx, and no error in the log', async () => {
  const site = server.services.sites.fallback().siteId;
  const key = `x-admin-key: ${ADMIN_KEY}`;
  const json = 'Content-Type: application/json';
  const doors: [string, string[]][] = [
    ['/v1/events', [json]],
    ['/v1/leads/capture', [json]],
    ['/v1/leads/capture', ['Content-Type: application/x-www-form-urlencoded']],
    ['/v1/leads/unsubscribe', [json]],
    [`/v1/unsubscribe/${linkToken(site, 'A'.repeat(32))}`, ['Content-Type: text/plain']],
    ['/v1/sites', [json, key]],
    ['/v1/ad-spend', ['Content-Type: text/csv', key]],
  ];
  for (const [path, headers] of doors)
    for (const reset of [false, true]) {
      lines.length = 0;
      await hangUp(path, headers, reset);
      const { status, error } = await requestLine();
      assert.deepEqual([path, status, error], [path, 400, 'invalid_request']);
      assert.deepEqual(
        lines.filter(({ level }) => level === 'error' || level === 'warn'),
        [],
      );
    }
});

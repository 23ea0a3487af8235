// Whoever sends slowly is let go, and connections have an end.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import Koa from 'koa';
import { type Listening, listen } from './serve.ts';

const CONNECTIONS_MAX = 20;
let listening: Listening;
before(async () => {
  const app = new Koa();
  app.use(async (ctx) => {
    for await (const _ of ctx.req);
    ctx.body = 'done';
  });
  const patience = {
    ...{ headersMs: 1000, requestMs: 1500, lookEveryMs: 50, drainMs: 1000 },
    connectionsMax: CONNECTIONS_MAX,
  };
  listening = await listen(app, { PORT: 0, HOST: '127.0.0.1' }, patience);
});
after(() => listening.cut());

/** Sends, then nothing more. returns  what came back until the other side closed */
function send(text: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(listening.port, '127.0.0.1', () => socket.write(text));
  let said = '';
  socket.on('data', (chunk) => {
    said += chunk;
  });
  socket.on('error', () => {});
  return { socket, closed: new Promise((done) => socket.on('close', () => done(said))) };
}
const POST = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n';

test('a body that never ends, and headers that never do, are closed without our help', async () => {
  const body = send(`${POST}Content-Length: 1000\r\n\r\nthe beginning`);
  const headers = send(POST);
  for (const said of await Promise.all([body.closed, headers.closed]))
    assert.match(said, /^HTTP\/1\.1 4\d\d /);
});

test('so many connections are open and no more; as soon as one ends another is taken', async () => {
  const held = Array.from({ length: CONNECTIONS_MAX + 10 }, () => send(POST));
  const whole = `${POST}Connection: close\r\nContent-Length: 2\r\n\r\nok`;
  const said = await Promise.all(held.map(({ closed }) => closed));
  const dropped = said.filter((text) => text === '').length;
  assert.ok(dropped >= 1 && dropped <= 10, `${dropped} were not taken, the others waited for and let go`);
  assert.match(await send(whole).closed, /^HTTP\/1\.1 200 /);
});

test('a stop ends once the last answer is out, though whoever got it would keep the connection', async () => {
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
  const app = new Koa();
  app.use(async (ctx) => {
    asked();
    await isOver;
    ctx.body = 'done';
  });
  const patient = { headersMs: 60_000, requestMs: 60_000, lookEveryMs: 60_000, connectionsMax: 10 };
  const stopping = await listen(app, { PORT: 0, HOST: '127.0.0.1' }, { ...patient, drainMs: 1_000_000_000 });
  const answered = fetch(stopping.url).then((answer) => answer.text());
  await isAsked;
  const drained = stopping.drain();
  end();
  assert.equal(await answered, 'done');
  await drained; // and not after eleven days
});

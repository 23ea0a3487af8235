// The end of a response, as Koa hears of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import Koa from 'koa';
import { watchEnd } from './response-end.ts';

/** returns  the port; the server ends with the tests */
async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function ours(middleware: Koa.Middleware): RequestListener {
  const app = new Koa();
  app.silent = true;
  app.use(middleware);
  const handle = app.callback();
  return (request, response) => {
    watchEnd(response);
    return handle(request, response);
  };
}

test('a download that its client gave up is ended at the source', async () => {
  const endless = Readable.from(
    (function* () {
      for (;;) yield 'a line\n'.repeat(1000);
    })(),
  );
  const port = await serve(
    ours((ctx) => {
      ctx.body = endless;
    }),
  );
  const client = connect(port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(client, 'data');
  client.destroy();
  await once(endless, 'close');
  assert.equal(endless.destroyed, true);
});

test('nothing listens on the connection for a single request, so that kept connections keep no garbage', async () => {
  const listeners: number[][] = [];
  const count = (socket: Socket) =>
    listeners.push(['error', 'close'].map((event) => socket.listenerCount(event)));
  const port = await serve(
    ours((ctx) => {
      count(ctx.socket);
      ctx.body = 'well';
    }),
  );
  const bare = await serve((request, response) => {
    count(request.socket);
    response.end('well');
  });
  for (const each of [port, bare])
    assert.equal(await (await fetch(`http://127.0.0.1:${each}/`)).text(), 'well');
  assert.deepEqual(listeners[0], listeners[1]);
});

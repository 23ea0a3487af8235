// A system that is told by webhooks: a real server on this machine that keeps what came, and a way to reach it that real
// endpoints don't have.
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Reach } from '../src/product/webhooks/reach.ts';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

/** What to answer: a status, with a Retry-After maybe; hang: nothing, ever. */
export type Answer = { status: number; retryAfter?: string } | 'hang';

export interface Receiver {
  url: string;
  received: Received[];
  answers: (one: Received) => Answer | Promise<Answer>;
  /** Ends what it hangs on. */
  hangUp(): void;
  close(): void;
}

export async function makeReceiver(): Promise<Receiver> {
  const server = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', async () => {
      const text = Buffer.concat(chunks).toString();
      const one = { path: asked.url ?? '', headers: asked.headers, text, body: JSON.parse(text) };
      receiver.received.push(one);
      const wanted = await receiver.answers(one);
      if (wanted === 'hang') return;
      answer.writeHead(wanted.status, wanted.retryAfter ? { 'retry-after': wanted.retryAfter } : {});
      answer.end('an answer that nobody keeps');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received: [],
    answers: () => ({ status: 204 }),
    hangUp: () => server.closeAllConnections(),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return receiver;
}

/** Reaches this machine, without TLS. */
export const reachLocal: Reach = {
  refuses: () => null,
  request: async (url, options) => request(url, options),
};

/** Whether it is signed with this secret, as the package of Standard Webhooks sees it. */
export function isSignedBy(secret: string, { text, headers }: Received): boolean {
  try {
    new Webhook(secret).verify(text, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

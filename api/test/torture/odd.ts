// Public doors and input that is odd by construction: whatever is sent, no answer is a fault of the product.
import { ODD_TEXTS, ODD_VALUES } from '../odd.ts';
import { BROWSER } from '../server.ts';
import { captureOf, eventOf, somebody } from './ask.ts';

type Sent = [path: string, init: RequestInit];

const JSON_DOORS: [string, () => Record<string, unknown>][] = [
  ['/v1/events', () => eventOf(somebody())],
  ['/v1/leads/capture', () => captureOf(somebody())],
  ['/v1/leads/unsubscribe', () => ({ email: somebody().email, reason: 'enough' })],
];
const READ_DOORS = ['/v1/privacy', '/v1/healthz', '/s.json', '/v1/pixel.gif', '/', '/v1/openapi.json'];
const TYPES = [
  'application/json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'x',
  '',
];

/** One request after the other, as the seed says. */
function oddRequest(random: () => number): Sent {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const [path, example] = pick(JSON_DOORS);
  const post = (body: string | Uint8Array, type = 'application/json'): Sent => [
    path,
    { method: 'POST', body: body as string, headers: { 'content-type': type, 'user-agent': BROWSER } },
  ];
  const good = example();
  const kinds: (() => Sent)[] = [
    () => post(JSON.stringify({ ...good, [pick(Object.keys(good))]: pick<unknown>(ODD_VALUES) })),
    () => post(JSON.stringify({ ...good, [String(pick(ODD_TEXTS))]: pick<unknown>(ODD_VALUES) })),
    () =>
      post(JSON.stringify(Array.from({ length: Math.floor(random() * 4) }, () => pick<unknown>(ODD_VALUES)))),
    () => post(JSON.stringify(pick<unknown>(ODD_VALUES))),
    () => post(JSON.stringify(good).slice(0, Math.floor(random() * 80))),
    () => post(`${'{"a":['.repeat(1000 + random() * 3000)}`),
    () =>
      post(
        Uint8Array.from({ length: random() * 2000 }, () => random() * 256),
        pick(TYPES),
      ),
    () =>
      post(
        new URLSearchParams(
          Object.keys(good).map((name): [string, string] => [name, String(pick(ODD_TEXTS))]),
        ).toString(),
        pick(TYPES),
      ),
    () => post(JSON.stringify({ ...good, props: { deep: 'x'.repeat(random() * 100_000) } })),
    () => [
      `${pick([...READ_DOORS, '/v1/unsubscribe/x', '/v1/confirm/x'])}?${pick(['q', 'e', 'from', 'lang', '%00'])}=${encodeURIComponent(String(pick(ODD_TEXTS)).toWellFormed())}`,
      {
        headers: { 'accept-language': pick(['fr', '*', ';;;q=9', 'x'.repeat(2000)]), 'user-agent': BROWSER },
      },
    ],
    () => [
      `/v1/${pick(['unsubscribe', 'confirm'])}/${encodeURIComponent(String(pick(ODD_TEXTS)).toWellFormed())}`,
      { method: pick(['GET', 'POST']) },
    ],
  ];
  return pick(kinds)();
}

/** Sends so many; 503 is an answer only while something is down, and nothing is. */
export async function fuzz(
  url: string,
  random: () => number,
  count: number,
): Promise<{ sent: number; faults: string[] }> {
  const faults: string[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const [path, init] = oddRequest(random);
    const status = await fetch(`${url}${path}`, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
    })
      .then(async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      })
      .catch((error: Error) => String(error.cause ?? error));
    if (typeof status === 'string' || status >= 500)
      faults.push(`${init.method ?? 'GET'} ${path} ${String(init.body ?? '').slice(0, 200)}: ${status}`);
  }
  return { sent: count, faults };
}

// npm run bench:feed: what it costs to answer GET /v1/feed from memory, in full and by 304 to who has it already: on the core, then on
// an eighth of it. CPU a request counts; how many fit on an eighth of a core follows from it. Limits are off, the log is as always.
import { loadavg } from 'node:os';
import { loadOf } from './load.ts';
import { confine, family } from './processes.ts';
import { round, SECONDS, setStage } from './stage.ts';

const PER_SECOND_MIN = 1000;
const CORE_SHARE = 0.125;
const ADMIN_KEY = 'an admin key for the bench only';
const { port, api, postmaster, rows, measured, cost, leave } = await setStage('request', {
  ADMIN_API_KEY: ADMIN_KEY,
  NODE_OPTIONS: process.env.API_NODE_OPTIONS ?? '',
});
const address = `http://127.0.0.1:${port}`;

/** throws  when it is not answered well */
async function tell(method: string, path: string, body: object, more: Record<string, string> = {}) {
  const answer = await fetch(`${address}${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'x-admin-key': ADMIN_KEY, ...more },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { notification: { notificationId: string } };
}

// three notifications, as a shop has them: a number and two messages
const conversions = Array.from({ length: 20 }, (_, n) => ({
  id: `order-${n}`,
  kind: 'purchase',
  anonId: `bench-visitor-${n}`,
  amount: '5.00',
  currency: 'CAD',
}));
await tell('POST', '/v1/conversions', { propertyId: 'default', conversions });
const count = {
  kind: 'count',
  name: 'buyers',
  claim: { of: 'purchases', days: 30, minimum: 5 },
  texts: {
    en: { one: '{count} person bought in {days} days', other: '{count} people bought in {days} days' },
  },
};
const source = { url: 'https://bakery.example/about', statedOn: '2026-01-31' };
const message = (text: string) => ({ kind: 'message', name: text, source, texts: { en: { other: text } } });
for (const content of [
  count,
  message('We bake at night, and open at seven.'),
  message('Closed on Mondays.'),
]) {
  const { notification } = await tell('POST', '/v1/sites/default/notifications', content);
  const path = `/v1/sites/default/notifications/${notification.notificationId}`;
  await tell('PATCH', path, { status: 'running' }, { 'if-match': '"1"' });
}
const path = '/v1/feed?site=default';
const encoded =
  'Origin: https://bakery.example\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-CA,en;q=0.9\r\n';

const full = () => asking(encoded, 200);
/** Of one who has what is shown now; a feed that is built anew each minute has another tag, so it is asked for before each scene. */
async function known() {
  const answer = await fetch(`${address}${path}`, { headers: { 'accept-encoding': 'gzip, deflate, br' } });
  const { items } = (await answer.json()) as { items: unknown[] };
  if (items.length !== 3) throw new Error(`${items.length} of 3 notifications are shown`);
  return asking(`${encoded}If-None-Match: ${answer.headers.get('etag')}\r\n`, 304);
}
let seconds = 2;
const asking = (headers: string, wanted: number) =>
  loadOf({ port, path, headers, connections: 32, seconds, wanted: [wanted] });

for (const scene of [full, known, full, known]) await scene(); // warm: JIT
seconds = SECONDS / 2;
await measured('in full', full, { rounds: 3 });
await measured('304', known, { rounds: 3 });
const group = confine([...family(api.pid), ...family(postmaster)], CORE_SHARE, 1024 ** 3);
if (group) {
  await measured('an eighth of the core: in full', full);
  await measured('an eighth of the core: 304', known);
  console.log(`confined: ${group.throttled()}`);
  group.remove();
}
console.table(rows);
const judged = (
  [
    ['in full', 'in full'],
    ['by 304', '304'],
  ] as const
).map(([what, scene]) => {
  const fits = Math.round((CORE_SHARE * 1000) / cost(scene));
  const measuredNow = rows.find((row) => row.what === `an eighth of the core: ${scene}`)?.['requests/s'];
  return {
    what,
    'CPU ms': round(cost(scene), 4),
    'target, requests/s on an eighth': PER_SECOND_MIN,
    'by their CPU': fits,
    confined: measuredNow ?? 'not measured',
    met: (Number(measuredNow) || fits) >= PER_SECOND_MIN ? 'yes' : 'no',
  };
});
console.table(judged);
console.log(`load of the machine ${loadavg()[0]!.toFixed(1)}`);
await leave(judged.some(({ met }) => met === 'no') ? 1 : 0);

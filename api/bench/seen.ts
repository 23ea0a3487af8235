// npm run bench:seen: what it costs to count that somebody saw a notification, beside a page view of somebody who was here before,
// in rounds by turns. Read the ratio; machines differ.
import { loadavg } from 'node:os';
import { uuidv7 } from '../src/product/events/enrich.ts';
import { load, ofBrowser, PAGE_ORIGIN, returns } from './load.ts';
import { round, SECONDS, setStage } from './stage.ts';

const PEOPLE = 4000;
const RATIO_MAX = 1.2;
const { port, owner, rows, measured, leave } = await setStage('event', { TRUSTED_PROXIES: '127.0.0.1' });
const [site] = (await owner.query('select site_id from sites')).rows;
const [notification] = (
  await owner.query(
    "insert into notifications (site_id, kind, status) values ($1, 'count', 'running') returning notification_id",
    [site.site_id],
  )
).rows;
const KINDS = ['exposed', 'shown', 'hovered', 'clicked', 'dismissed'];

/** What visitors see, each time another one. */
function* seen(): Generator<Record<string, unknown>> {
  const views = returns(PEOPLE);
  for (let at = 0; ; at += 1) {
    const { anonId, path, timestamp } = views.next().value as Record<string, unknown>;
    yield {
      eventId: uuidv7(),
      anonId,
      eventType: `proof_${KINDS[at % KINDS.length]}`,
      path,
      timestamp,
      props: {
        notificationId: notification.notification_id,
        variantId: 'a',
        receiptId: 'A'.repeat(22),
      },
    };
  }
}

await owner.query('update sites set origins = $1', [[PAGE_ORIGIN]]);
await new Promise((done) => setTimeout(done, 11_000)); // the API reads its sites anew every 10 s
const common = { port, path: '/v1/events', headers: ofBrowser, connections: 64, seconds: SECONDS / 2 };
const views = returns(PEOPLE);
const shows = seen();
for (const source of [views, shows]) await load({ ...common, source, seconds: 2 }); // warm: plans, JIT, caches
const costs: [number[], number[]] = [[], []];
for (let turn = 1; turn <= 5; turn += 1)
  for (const [i, [what, source]] of (
    [
      ['page views', views],
      ['seen', shows],
    ] as const
  ).entries()) {
    await owner.query('truncate notification_events');
    await owner.query('vacuum analyze');
    await measured(`${what}, ${turn}`, () => load({ ...common, source }));
    costs[i]!.push(Number(rows.at(-1)!['CPU ms/event']));
  }
console.table(rows);
const middle = (of: number[]) => of.toSorted((a, b) => a - b)[of.length >> 1]!;
const ratio = middle(costs[1]) / middle(costs[0]);
console.table([
  {
    what: 'an event of a notification, of the cost of a page view',
    target: `at most ${RATIO_MAX} ×`,
    figure: `${round(ratio, 2)} ×`,
    met: ratio <= RATIO_MAX ? 'yes' : 'no',
  },
]);
console.log(`load of the machine ${loadavg()[0]!.toFixed(1)}`);
process.exitCode = ratio <= RATIO_MAX ? 0 : 1;
await leave();

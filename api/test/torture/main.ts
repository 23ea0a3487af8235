// The long attacks in one run (scripts/torture): odd input, races, and kills at random moments under load with resends.
import { parseArgs } from 'node:util';
import { randomOf } from '../../demo/traffic.ts';
import { pause } from '../kill.ts';
import { type Asking, asking } from './ask.ts';
import { check } from './check.ts';
import { type Acknowledged, startLoad } from './load.ts';
import { fuzz } from './odd.ts';
import { type Product, startProduct } from './product.ts';
import { races } from './races.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('error: --minutes takes a number above 0, --seed a whole number');
  process.exit(2);
}
// each part draws from numbers of its own, so that it is the same however long another took
const randomFor = (part: number) => randomOf(seed + part);
const say = (line: string) => console.log(line);

const KILLS = ['api', 'backend', 'postgres', 'stop'] as const;
type Kills = Record<(typeof KILLS)[number], number>;

/** returns  false when there was nothing to strike */
async function strike(
  product: Product,
  kind: (typeof KILLS)[number],
  random: () => number,
): Promise<boolean> {
  if (kind === 'backend') return product.killBackend((pids) => pids[Math.floor(random() * pids.length)]);
  if (kind === 'postgres') {
    await product.killPostgres();
    await pause(random() * 1500);
    await product.startPostgres();
    return true;
  }
  await (kind === 'api' ? product.killApi() : product.stopApi());
  await pause(random() * 500);
  await product.startApi();
  return true;
}

/** Waits until so many more events are acknowledged: a moment of the work, wherever on the clock it is. */
async function acknowledges(done: Acknowledged, more: number): Promise<void> {
  const wanted = done.events.length + more;
  const end = Date.now() + 120_000;
  while (done.events.length < wanted) {
    if (Date.now() > end) throw new Error(`${done.events.length} of ${wanted} events were acknowledged`);
    await pause(1);
  }
}

/** returns  the id of one that is made for this; whether it runs, its events do not ask */
async function notification({ ask, faults }: Asking): Promise<string> {
  const source = { url: 'https://bakery.example/about', statedOn: '2026-01-31' };
  const content = { kind: 'message', name: 'hello', source, texts: { en: { other: 'We bake at night.' } } };
  const answer = await ask('/v1/sites/default/notifications', content, [201]);
  if (!answer) throw new Error(`no notification was made: ${faults.join('; ')}`);
  return JSON.parse(answer.body).notification.notificationId;
}

async function killing(product: Product, until: number) {
  const random = randomFor(3);
  const asked = asking(product.url);
  const load = startLoad(asked, randomFor(4), await notification(asked));
  const kills: Kills = { api: 0, backend: 0, postgres: 0, stop: 0 };
  try {
    // every kind at least once, however short the run is
    const first = [...KILLS];
    while (first.length > 0 || Date.now() < until) {
      await acknowledges(load.done, 30 + random() * 300);
      const kind = first.shift() ?? KILLS[Math.floor(random() * KILLS.length)]!;
      if (await strike(product, kind, random)) kills[kind] += 1;
    }
    await acknowledges(load.done, 30);
    await load.stop();
  } catch (error) {
    asked.giveUp();
    throw error;
  }
  return { asked, done: load.done, kills };
}

async function main(): Promise<string[]> {
  say(`seed ${seed}: scripts/torture --minutes ${minutes} --seed ${seed}`);
  const product = await startProduct();
  try {
    const until = Date.now() + minutes * 60_000;
    const odd = await fuzz(product.url, randomFor(1), Math.ceil(400 * minutes));
    say(`odd requests ${odd.sent}, faults ${odd.faults.length}`);
    const racing = asking(product.url);
    const raced = await races(product, racing, randomFor(2), Math.ceil(6 * minutes));
    say(
      `races ${raced.people} people, ${raced.erased.length} of them erased, faults ${raced.faults.length + racing.faults.length}`,
    );
    const { asked, done, kills } = await killing(product, until);
    for (const one of raced.erased) done.erased.add(one);
    const { lost, doubled, faults } = await check(product, asked, done);
    say(
      `kills ${kills.api} API, ${kills.backend} backends, ${kills.postgres} PostgreSQL, ${kills.stop} stops; requests resent ${asked.resent}`,
    );
    say(
      `acknowledged ${done.events.length} events, ${done.leads.length} leads, ${done.withdrawn.size} withdrawals, ${done.erased.size} erasures (${done.untied.size} of people still in the journal), ${done.merged} links, ${done.rollups} rollups`,
    );
    say(`lost ${lost}, doubled ${doubled}`);
    if (racing.resent > 0) raced.faults.push(`${racing.resent} answers of 503 while nothing was down`);
    return [...odd.faults, ...raced.faults, ...racing.faults, ...asked.faults, ...faults];
  } finally {
    await product.end();
  }
}

const faults = await main().catch((error: Error) => [error.stack ?? String(error)]);
for (const fault of faults.slice(0, 20)) console.error(`fault: ${fault}`);
say(
  faults.length === 0 ? 'All of it held.' : `${faults.length} faults; the seed above draws the same again.`,
);
process.exit(faults.length === 0 ? 0 : 1);

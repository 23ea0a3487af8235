// Sessions cut anew where events came late or were judged, against a second opinion: the contract's rule applied plainly to
// all events of a visitor in the order of their times.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomOf } from '../../../demo/traffic.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { idOf, partitions, type Recorded, record } from '../../../test/record.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { judge } from '../bots/verdicts.ts';
import { visitorIdOf } from './enrich.ts';

const SEED = Number(process.env.SEED ?? 20260314);
const ROUNDS = Number(process.env.ROUNDS ?? 24);
const random = randomOf(SEED);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const START = Date.parse('2026-03-14T20:00:00Z'); // midnight comes in between
const HALF_HOUR = 1_800_000;

let database: TestDatabase;
let siteId: string;
before(async () => {
  database = await makeDatabase();
  siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  await partitions(database.owner, '2026-03-14', '2026-03-17');
});
after(() => database.drop());

interface Made extends Recorded {
  ms: number;
  source: string;
}
const eventId = (event: Recorded) => idOf(`${siteId} ${event.id}`);

/** Moments that touch: the same millisecond, just within and just beyond the silence. */
function makeUp(visitor: string): Made[] {
  const made: Made[] = [];
  let ms = START;
  for (let n = 0; n < 4 + Math.floor(random() * 14); n += 1) {
    const campaign = random() < 0.35 ? pick(['spring', 'autumn']) : null;
    made.push({
      id: `${visitor} ${n}`,
      visitor,
      at: new Date(ms).toISOString(),
      ms,
      path: `/${n}`,
      source: campaign ? 'email' : pick(['internal', 'internal', 'carried', 'direct', 'organic_search']),
      ...(campaign ? { utm: { campaign } } : {}),
      ...(random() < 0.15 ? { bot_reason: pick(['user_agent', 'prefetch']) } : {}),
    });
    ms += pick([0, 1, 600_000, HALF_HOUR, HALF_HOUR, HALF_HOUR + 1, 2 * HALF_HOUR]);
  }
  return made;
}

interface Cut {
  started: number;
  ended: number;
  path: string;
  campaign: string | null;
  source: string;
  carried: boolean;
  events: string[];
}

function sessionsOf(events: Made[]): Cut[] {
  const cuts: Cut[] = [];
  let cameFrom: string | null = null;
  for (const event of events.sort((a, b) => a.ms - b.ms || (eventId(a) < eventId(b) ? -1 : 1))) {
    const now = cuts.at(-1);
    const campaign = (event.utm as { campaign: string } | undefined)?.campaign ?? null;
    const starts =
      !now || event.ms - now.ended > HALF_HOUR || (campaign !== null && campaign !== now.campaign);
    if (starts) {
      const own = ['internal', 'carried'].includes(event.source) ? null : event.source;
      const source: string | null = own ?? cameFrom;
      cuts.push({
        started: event.ms,
        ended: event.ms,
        path: event.path!,
        campaign,
        // the first of all carries nothing
        source: source ?? 'direct',
        carried: own === null && source !== null,
        events: [],
      });
      cameFrom = source ?? 'direct';
    }
    const current = cuts.at(-1)!;
    current.ended = event.ms;
    current.events.push(event.id);
  }
  return cuts;
}

async function stored(visitor: string, events: Made[], isBot: boolean): Promise<Cut[]> {
  const { rows } = await database.owner.query(
    `select s.started_at, s.last_activity_at, s.landing_path, s.utm ->> 'campaign' as campaign, s.source, s.is_carried,
       (select array_agg(e.event_id order by e.occurred_at, e.event_id) from events e where e.visitor_id = s.visitor_id and e.session_id = s.session_id) as events
     from sessions s where visitor_id = $1 and is_bot = $2`,
    [visitorIdOf(siteId, visitor), isBot],
  );
  const names = new Map(events.map((event) => [eventId(event), event.id]));
  const order = new Map(events.map((event, n) => [event.id, n]));
  return rows
    .map((row) => ({
      started: row.started_at.getTime(),
      ended: row.last_activity_at.getTime(),
      path: row.landing_path,
      campaign: row.campaign,
      source: row.source,
      carried: row.is_carried,
      events: (row.events ?? []).map((id: string) => names.get(id)),
    }))
    .sort((a, b) => order.get(a.events[0])! - order.get(b.events[0])!);
}

async function agrees(visitor: string, events: Made[], what: string) {
  const { rows } = await database.owner.query(
    'select event_id, bot_reason from events where visitor_id = $1',
    [visitorIdOf(siteId, visitor)],
  );
  const reasons = new Map(rows.map((row) => [row.event_id, row.bot_reason]));
  const here = events.filter((event) => reasons.has(eventId(event)));
  for (const isBot of [false, true]) {
    const mine = here.filter((event) => (reasons.get(eventId(event)) !== null) === isBot);
    // sorted in place: the order of events is that of the second opinion
    const expected = sessionsOf(mine);
    assert.deepEqual(await stored(visitor, mine, isBot), expected, `seed ${SEED}: ${visitor}, ${what}`);
  }
}

/** In bites of random size; what belongs together is mostly torn apart. */
async function send(events: Made[]) {
  const rest = [...events];
  while (rest.length > 0) await record(database.app, siteId, rest.splice(0, 1 + Math.floor(random() * 4)));
}
const shuffled = (events: Made[]) =>
  events
    .map((event) => ({ event, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => event);

test(`in whatever order events come, sessions are those of their times (seed ${SEED}, ${ROUNDS} visitors)`, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const visitor = `shuffled visitor ${round}`;
    const events = makeUp(visitor);
    const coming = shuffled(events);
    while (coming.length > 0) {
      await send(coming.splice(0, 5));
      await agrees(visitor, events, `${coming.length} to come`);
    }
  }
});

test(`whenever it is known who is a bot, or spam, sessions are those of what is left (seed ${SEED})`, async () => {
  for (let round = 0; round < ROUNDS / 2; round += 1) {
    const visitor = `judged visitor ${round}`;
    const events = makeUp(visitor);
    const coming = shuffled(events);
    const early = coming.splice(0, Math.floor(coming.length / 2));
    await send(early);
    const spam = pick(early);
    await inSites(database.app, siteId, (client) =>
      client.query("select judge_event($1, $2, 'spam', null, '30 minutes')", [siteId, eventId(spam)]),
    );
    await agrees(visitor, events, 'one is spam');
    const verdicts = [pick(['admin', null]), pick(['admin', null]), null];
    for (const reason of verdicts) {
      await inSites(database.app, siteId, (client) =>
        judge(client, siteId, [visitorIdOf(siteId, visitor)], reason, 'admin', 30),
      );
      await agrees(visitor, events, `judged ${reason ?? 'human'}`);
      await send(coming.splice(0, 2));
      await agrees(visitor, events, `after it was judged ${reason ?? 'human'}`);
    }
    await inSites(database.app, siteId, (client) =>
      client.query("select judge_event($1, $2, null, 'spam', '30 minutes')", [siteId, eventId(spam)]),
    );
    await agrees(visitor, events, 'none is spam');
  }
});

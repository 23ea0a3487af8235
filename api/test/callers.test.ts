// Callers of one site: what they may not do, whose things they cannot tell from nothing, and that their own site works.
// Walks the routes, so that a new one is walked by itself.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CAPABILITIES, type Capability, type WayIn } from '../src/ground/http/caller.ts';
import type { Route } from '../src/ground/http/route.ts';
import { isUuid } from '../src/ground/lib/uuid.ts';
import { type Example, examplesOf } from './examples.ts';
import { send } from './send.ts';
import { startServer, type TestServer } from './server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from './world.ts';

/** Of the header: {"siteIds": …, "may": […]}. */
const testWay: WayIn = (call) => {
  const header = call.header('x-test-caller');
  if (!header) return null;
  const { siteIds, may } = JSON.parse(header) as { siteIds: string[]; may: Capability[] };
  return { actor: 'test', siteIds, may: (what) => may.includes(what) };
};
const callerOf = ({ siteId }: Place, ...may: string[]) => ({
  'x-test-caller': JSON.stringify({ siteIds: [siteId], may }),
});

let server: TestServer;
/** Calls for itself; asks for what is the rival's; has nothing to do with either, and must notice nothing. */
let bakery: Place;
let mill: Place;
let rival: Place;
let guarded: (Route & { who: Capability })[];
before(async () => {
  server = await startServer(WORLD_SETTINGS, undefined, undefined, { ways: [testWay] });
  bakery = await makePlace(server, 'bakery');
  mill = await makePlace(server, 'mill');
  rival = await makePlace(server, 'rival');
  guarded = server.routes.filter(({ who }) => who in CAPABILITIES) as typeof guarded;
});
after(() => server.end());

/** Every row of a site, as text; but for the counts of what came in, which are written a little later. */
async function rowsOf({ siteId }: Place): Promise<string[]> {
  const { owner } = server.database;
  const { rows: tables } = await owner.query(
    `select table_name as name from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'public' and column_name = 'site_id' and table_type = 'BASE TABLE' and table_name not in ('ingest_ledger', 'ingest_latencies') order by 1`,
  );
  const lines: string[] = [];
  for (const { name } of tables) {
    const { rows } = await owner.query(`select t::text as line from ${name} t where site_id = $1`, [siteId]);
    lines.push(...rows.map(({ line }) => `${name} ${line}`));
  }
  return lines.sort();
}

/** Fails when an answer holds anything of a place. */
function assertNothingOf(place: Place, text: string, at: string): void {
  const traces = [
    place.key,
    ...Object.values(place)
      .flat()
      .flatMap((value) => (typeof value === 'object' ? [value.userId, value.sessionId] : [value]))
      .filter((value): value is string => typeof value === 'string')
      .filter((value) => isUuid(value) || value.includes('@')),
  ];
  assert.deepEqual(
    traces.filter((trace) => text.toLowerCase().includes(trace)),
    [],
    `${at}: ${text.slice(0, 600)}`,
  );
}

/** Ids, instants, digests and links: what an answer makes anew each time. Those of the rival's are looked for before. */
const MADE_EACH_TIME =
  /\b[0-9a-f]{64}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\dT[\d:.]+Z|\/join\/[\w-]{43}/g;

type Leaf = { at: (string | number)[]; name: string; value: string };
/** Every text of an example that names something: a site, or a thing or a person of one. */
function namesIn(part: unknown, wanted = /^email$|Id$/, at: Leaf['at'] = []): Leaf[] {
  if (typeof part === 'object' && part !== null)
    return Object.entries(part).flatMap(([key, one]) => namesIn(one, wanted, [...at, key]));
  const name = String(at.at(-1));
  return typeof part === 'string' && wanted.test(name) ? [{ at, name, value: part }] : [];
}

function withValue(example: Example, at: Leaf['at'], value: string): Example {
  const copy = structuredClone(example) as unknown as Record<string | number, never>;
  const last = at.at(-1)!;
  const holder = at.slice(0, -1).reduce((part, key) => part[key]!, copy);
  (holder as Record<string | number, string>)[last] = value;
  return copy as Example;
}

const unknownLike = (value: string) => (isUuid(value) ? randomUUID() : value.replace('rival', 'nowhere'));

/** The same call, each naming one thing of the other's and, in its place, one that is nowhere. */
function strangersIn(
  mine: Example,
  theirs: Example,
): { what: string; named: string; unknown: string; at: Leaf['at'] }[] {
  return namesIn(mine).flatMap(({ at, name, value }) => {
    if (name === 'propertyId' || name === 'siteId')
      return [
        { what: `${name} by key`, named: rival.key, unknown: 'nowhere', at },
        { what: `${name} by id`, named: rival.siteId, unknown: randomUUID(), at },
      ];
    const named = namesIn(theirs).find((leaf) => leaf.at.join() === at.join())!.value;
    return named === value ? [] : [{ what: name, named, unknown: unknownLike(named), at }];
  });
}

test('a caller without the capability of a route is refused, whatever else they may', async () => {
  const examples = examplesOf(bakery);
  assert.ok(guarded.length >= 35);
  for (const route of guarded) {
    const others = Object.keys(CAPABILITIES).filter((name) => name !== route.who);
    for (const example of examples[route.id]!) {
      const { status, text } = await send(server, route, example, callerOf(bakery, ...others));
      assert.deepEqual([status, JSON.parse(text).error], [403, 'forbidden'], route.id);
    }
  }
});

test('what is another site’s cannot be told from what is nowhere, and does not change', async () => {
  const before = await rowsOf(rival);
  assert.ok(before.length > 20);
  let walked = 0;
  for (const route of guarded)
    for (const [i, example] of examplesOf(mill)[route.id]!.entries())
      for (const { what, named, unknown, at } of strangersIn(example, examplesOf(rival)[route.id]![i]!)) {
        const answer = async (value: string) => {
          // an id of the caller's own is a new one each time: the second call must not be known by the first
          const own = namesIn(example, /^id$/);
          const fresh = own.reduce((copy, { at: ownAt }) => withValue(copy, ownAt, randomUUID()), example);
          const sent = withValue(fresh, at, value);
          const { status, text } = await send(server, route, sent, callerOf(mill, route.who));
          const told = text.replaceAll(value, '<it>');
          assertNothingOf(rival, told, `${route.id}, ${what}`);
          return { status, told: told.replace(MADE_EACH_TIME, '<made>') };
        };
        assert.deepEqual(await answer(named), await answer(unknown), `${route.id}, ${what}`);
        walked += 1;
      }
  assert.ok(walked > 80, `${walked} ways to name something`);
  assert.deepEqual(await rowsOf(rival), before);
});

test('every route that is for one site lets its caller name it', () => {
  const examples = examplesOf(bakery);
  for (const { id, of } of guarded.filter((route) => route.of === 'named' || route.of === 'path'))
    for (const example of examples[id]!)
      assert.ok(
        namesIn(example).some(({ name }) => name === 'propertyId' || name === 'siteId'),
        `${id} (${of})`,
      );
});

test('a caller’s own site works, and nothing of any other stands in an answer', async () => {
  const before = await rowsOf(rival);
  for (const route of guarded)
    for (const example of examplesOf(bakery)[route.id]!) {
      const { status, text } = await send(server, route, example, callerOf(bakery, route.who));
      assert.ok(status < 400 && status in route.answers, `${route.id}: ${status} ${text.slice(0, 300)}`);
      for (const place of [mill, rival]) assertNothingOf(place, text, route.id);
      const fallback = server.services.sites.fallback().siteId;
      assert.ok(!text.includes(fallback), `${route.id}: the site default is not theirs`);
      if (route.tag !== 'jobs' && /^(list|search|export)/.test(route.id))
        assert.match(
          text,
          new RegExp(
            `bakery|${bakery.siteId}|${bakery.botId}|${bakery.visitorId}|${bakery.viewer.userId}|${bakery.abTestId}|${bakery.integrationId}|${bakery.customFieldId}`,
          ),
          `${route.id} shows what is theirs`,
        );
    }
  assert.deepEqual(await rowsOf(rival), before);
});

test('a caller who names no site means their own', async () => {
  for (const route of guarded.filter(({ of, at }) => of === 'named' && at.startsWith('GET ')))
    for (const { query: { propertyId: _, ...query } = {} } of examplesOf(bakery)[route.id]!) {
      const { status, text } = await send(server, route, { query }, callerOf(bakery, route.who));
      assert.equal(status, 200, `${route.id}: ${text.slice(0, 300)}`);
      for (const place of [mill, rival]) assertNothingOf(place, text, route.id);
    }
});

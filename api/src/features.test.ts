// What features tell about themselves rings where it should, and a new feature needs no other file than the list.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { makeDatabase } from '../test/database.ts';
import { makeEvent } from '../test/make.ts';
import { admin, call, startServer, type TestServer } from '../test/server.ts';
import { type AnyFeature, FEATURES } from './features.ts';
import type { Pool } from './ground/db/pool.ts';
import { inSites } from './ground/db/transaction.ts';
import { reading, warning } from './ground/feature.ts';
import { siteName } from './ground/http/fields.ts';
import { LIMITS } from './ground/http/rate-limit.ts';
import { created } from './ground/http/reply.ts';
import { route } from './ground/http/route.ts';
import { makeLog } from './ground/lib/log.ts';
import { alarmsIn } from './operations/alerts/rules.ts';

const READINGS = FEATURES.flatMap((feature) => feature.readings ?? []);

test('each threshold of what features tell raises its alarm, just below it nothing happens', () => {
  const well = {
    rollup: { rolledUpThrough: '2026-03-01', lagDays: 0, discrepancies: 0, imbalances: 0 },
    ledger: { day: '2026-03-01', received: 9, accepted: 9, duplicate: 0, rejected: 0, unbalanced: 0 },
    visitors: { count: 500, addresses: 300, browsers: 40, busiest: 30, gateway: 3, gatewayBrowsers: 2 },
  };
  const cases: [Record<string, unknown>, string[]][] = [
    [{}, []],
    [{ rollup: { ...well.rollup, lagDays: 1 } }, []],
    [{ rollup: { ...well.rollup, lagDays: 2 } }, ['rollup_lag warning']],
    [{ rollup: { ...well.rollup, discrepancies: 1 } }, ['discrepancy critical']],
    [{ rollup: { ...well.rollup, imbalances: 1 } }, ['ledger critical']],
    [{ ledger: { ...well.ledger, unbalanced: 1 } }, ['ledger critical']],
    [{ ledger: { ...well.ledger, unbalanced: 1 }, rollup: null }, ['ledger critical']],
    [{ visitors: { ...well.visitors, count: 60, busiest: 57, browsers: 9 } }, ['one_address critical']],
    [{ visitors: { ...well.visitors, count: 60, busiest: 56, browsers: 9 } }, []],
    [{ visitors: { ...well.visitors, count: 60, busiest: 60, browsers: 1 } }, []],
    [{ visitors: { ...well.visitors, count: 49, busiest: 49 } }, []],
    // others are seen as who they are, which does not help those who are not
    [{ visitors: { ...well.visitors, gateway: 20, gatewayBrowsers: 5 } }, ['one_address critical']],
    [{ visitors: { ...well.visitors, gateway: 19, gatewayBrowsers: 5 } }, []],
    [{ visitors: { ...well.visitors, gateway: 20, gatewayBrowsers: 4 } }, []],
    [{ visitors: null, ledger: null, rollup: null }, []],
  ];
  for (const [change, expected] of cases)
    assert.deepEqual(
      alarmsIn({ ...well, ...change }, READINGS).map(({ id, severity }) => `${id} ${severity}`),
      expected,
      JSON.stringify(change),
    );
});

const toyShape = z.object({ toyId: z.uuid(), note: z.string() }).meta({ id: 'Toy' });
const newToy = z
  .object({ note: z.string().max(200), leadId: z.uuid().optional(), propertyId: siteName })
  .meta({ id: 'NewToy' });

/** A feature as anyone would add one: a table with a person's column, routes, a job, a reading with an alarm. */
const toys: AnyFeature = {
  name: 'toys',
  tables: {
    toys: {
      holds: 'a toy that somebody likes',
      whose: 'lead',
      columns: { note: 'goes, found' },
      kept: [
        { with: 'leads', why: 'it is about the lead' },
        { for: { days: 7 }, since: 'made_at', why: 'tastes change', told: 'toyDays' },
      ],
    },
  },
  routes: ({ db }: { db: Pool }) => [
    route({
      at: 'POST /v1/toys',
      id: 'addToy',
      says: 'Adds a toy',
      tag: 'toys',
      who: 'leads',
      of: 'named',
      takes: { as: ['json'], bytesMax: 1024, shape: newToy },
      answers: { 201: z.object({ toy: toyShape }) },
      async run({ note, leadId }, call) {
        const { rows } = await inSites(db, call.site.siteId, (client) =>
          client.query<z.output<typeof toyShape>>(
            'insert into toys (site_id, lead_id, note) values ($1, $2, $3) returning toy_id as "toyId", note',
            [call.site.siteId, leadId ?? null, note],
          ),
        );
        call.note({ target: rows[0]!.toyId });
        return created({ toy: rows[0] });
      },
    }),
  ],
  jobs: () => [
    { name: 'tidy_toys', cron: '0 5 * * *', why: 'toys lie around', run: async () => ({ tidied: 0 }) },
  ],
  readings: [
    reading<{ db: Pool; sites: { ids(): string[] } }, { count: number }>({
      name: 'toys',
      shape: z.object({ count: z.int() }),
      async read({ db, sites }) {
        const { rows } = await inSites(db, sites.ids(), (client) =>
          client.query<{ count: number }>('select count(*)::int as count from toys'),
        );
        return rows[0]!;
      },
      line: ({ count }) => `${count} toys`,
      rules: [
        {
          id: 'toys',
          minutes: 1,
          when: 'more than two toys',
          check: ({ count }) => (count > 2 ? warning(`${count} toys lie around`) : null),
        },
      ],
    }),
  ],
};

let server: TestServer;
before(async () => {
  const database = await makeDatabase();
  await database.owner.query(
    `create table toys (site_id uuid not null references sites, toy_id uuid not null default uuidv7(), lead_id uuid,
       note text not null, made_at timestamptz(3) not null default now(), primary key (site_id, toy_id));
     call isolate_sites('toys')`,
  );
  server = await startServer({ RATE_LIMITS: 'on' }, database, makeLog('silent'), {
    features: [...FEATURES, toys],
  });
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const add = (body: Record<string, unknown>, headers: Record<string, string> = admin) =>
  call(`${server.url}/v1/toys`, 'POST', body, headers);

test('a feature that is one line in the list is served, documented, guarded, noted and limited', async () => {
  assert.equal((await add({ note: 'ball' }, {})).status, 401);
  const made = await add({ note: 'ball' });
  assert.equal(made.status, 201);
  assert.equal((await add({ note: 'ball', propertyId: 'nobody' })).body.issues[0].path, 'propertyId');
  const { body } = await call(`${server.url}/v1/openapi.json`);
  assert.equal(body.paths['/v1/toys'].post.operationId, 'addToy');
  const [noted] = await rows("select actor, target, outcome from audit_log where action = 'POST /v1/toys'");
  assert.deepEqual(noted, { actor: 'admin_key', target: made.body.toy.toyId, outcome: 201 });
  const statuses = new Set<number>();
  for (let i = 0; i <= LIMITS.other; i += 1) statuses.add((await add({})).status);
  assert.deepEqual(statuses, new Set([400, 429]));
});

test('what it keeps is erased with the person, ends on time, and is said in the privacy facts', async () => {
  const site = server.services.sites.fallback();
  const email = `ada-${randomUUID()}@example.com`;
  const anonId = randomUUID();
  await call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId }));
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId });
  const [lead] = await rows('select lead_id from leads where email_normalized = $1', [email]);
  await rows('delete from toys');
  await rows(
    `insert into toys (site_id, lead_id, note, made_at) values
       ($1, $2, 'hers', now()), ($1, null, $3, now()), ($1, null, 'old', now() - interval '9 days')`,
    [site.siteId, lead.lead_id, `for ${email}`],
  );
  const { erased } = await server.services.forget({
    siteId: site.siteId,
    emailNormalized: email,
    emailHash: server.services.leads.hashAddress(site.siteId, email),
  });
  assert.equal(erased.toys, 2);
  assert.deepEqual(
    (await rows('select note from toys order by note')).map(({ note }) => note),
    ['for (erased)', 'old'],
  );
  const purge = async (options: Record<string, unknown>) =>
    (await server.services.runner.runNow('purge', options)).result as { rows: Record<string, number> };
  assert.equal((await purge({ dryRun: true })).rows.toys, 1);
  assert.equal((await rows('select from toys')).length, 2);
  assert.equal((await purge({ dryRun: false })).rows.toys, 1);
  assert.deepEqual(await rows('select note from toys'), [{ note: 'for (erased)' }]);
  assert.equal(server.services.periods.toyDays, 7);
});

test('its job is on the schedule, its reading in the status, its alarm among the rules', async () => {
  assert.ok(server.services.runner.jobs.some(({ name }) => name === 'tidy_toys'));
  const site = server.services.sites.fallback().siteId;
  await rows("insert into toys (site_id, note) select $1, 'block' from generate_series(1, 3)", [site]);
  const status = await server.services.status();
  assert.deepEqual(status.toys, { count: 4 });
  assert.ok(status.lines.some(({ name, text }) => name === 'toys' && text === '4 toys'));
  assert.ok(status.alarms.rules.some(({ id, when }) => id === 'toys' && when === 'more than two toys'));
  assert.deepEqual(alarmsIn(status, server.services.readings as never), [
    { id: 'toys', severity: 'warning', message: '4 toys lie around' },
  ]);
});

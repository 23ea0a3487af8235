// A world of every kind of person, some of them ten years old by the clock: the dry run says table by table what a night ends,
// nobody is there afterwards who should not be, and no number has changed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ageBy } from '../../../test/aged.ts';
import { examplesOf } from '../../../test/examples.ts';
import { makeEvent } from '../../../test/make.ts';
import { send as sendExample } from '../../../test/send.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePlace, WORLD_SETTINGS } from '../../../test/world.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { boundOf, keptOf } from '../../ground/tables.ts';
import { linkToken } from '../../product/consent/link.ts';

/** Days since each layer of the world was made, oldest first; no two distances alike, so that days never meet while they move. */
const AGES = [3650, 1010, 500, 250, 100, 45, 10, 0];
/** Layers in which a site also has all that is no person's kind: keys, webhooks, accounts, shares and so on. */
const FILLED = [0, AGES.length - 1];
const TABLES = tablesOf(FEATURES);

let server: TestServer;
before(async () => {
  server = await startServer({ ...WORLD_SETTINGS, MAIL_SENDER: 'The bakery, 1 Lane, Toronto' });
  for (const [key, settings] of [
    ['plain', {}],
    ['doi', { doubleOptIn: true }],
    ['guessing', { linking: 'on' }],
    ['crowded', {}],
  ] as const)
    await send('POST', '/v1/sites', { key, name: key, settings });
});
after(() => server.end());

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = admin) {
  const answer = await call(server.url + path, method, body, headers);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const job = async (name: string, options = {}) =>
  (await send('POST', `/v1/admin/jobs/${name}`, options)).run.result;

interface Person {
  /** In their address and in everything they typed, and in nothing else. */
  word: string;
  email: string;
  anonId: string;
  propertyId: string;
}
const LETTER = { consentStatus: 'express', consent: { text: 'Write to me, I can leave at any time.' } };

const capture = (person: Person, more: object = {}, headers = {}) =>
  send(
    'POST',
    '/v1/leads/capture',
    {
      email: person.email,
      anonId: person.anonId,
      propertyId: person.propertyId,
      formName: 'contact',
      path: '/contact',
      payload: { message: `I am ${person.word}` },
      sourceChannel: person.word,
      ...more,
    },
    headers,
  );
const leadOf = async ({ email }: Person) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];
const unsubscribe = ({ email, propertyId, word }: Person) =>
  send('POST', '/v1/leads/unsubscribe', { email, propertyId, reason: `because ${word}` }, {});
const words = ({ word }: Person) => ({ consent: { text: `I am ${word} and agree.` } });

/** What each kind does, and after how many days nothing of theirs may be left; null: they stay. */
const KINDS: Record<
  string,
  { site?: string; days: number | null; acts: (person: Person) => Promise<unknown> }
> = {
  pending: { days: 366, acts: (p) => capture(p) },
  agreed: { days: null, acts: (p) => capture(p, { ...LETTER, ...words(p) }) },
  'agreed and bought': {
    days: null,
    acts: async (p) => {
      await capture(p, LETTER);
      await buy(p);
    },
  },
  // who agreed to anything stays: whichever purpose it was, or to be named or published
  'agreed to be known again alone': {
    days: null,
    acts: (p) =>
      capture(p, { consentStatus: 'express', consent: { text: 'Know me.', purposes: ['profile'] } }),
  },
  'inquired, and agreed to something else': {
    days: null,
    acts: async (p) => {
      await capture(p, { consentStatus: 'implied' });
      await capture(p, { consentStatus: 'express', consent: { text: 'Share it.', purposes: ['partners'] } });
    },
  },
  'left the mails, and still agrees to something else': {
    days: null,
    acts: async (p) => {
      await capture(p, { ...LETTER, consent: { ...LETTER.consent, purposes: ['email', 'partners'] } });
      await send('POST', '/v1/leads/unsubscribe', {
        email: p.email,
        propertyId: p.propertyId,
        purposes: ['email'],
      });
    },
  },
  'may be named': {
    days: null,
    acts: (p) =>
      capture(p, {
        display: { text: 'You may show my first name.', name: 'Ada' },
      }),
  },
  // as long as the review
  'wrote a review that may be shown': { days: 5 * 366, acts: (p) => review(p) },
  'wrote a review that may be shown, and was declined': {
    days: 366,
    acts: async (p) => {
      await review(p);
      const [{ review_id, version }] = await rows(
        'select review_id, version from reviews join leads using (site_id, lead_id) where email_normalized = $1',
        [p.email],
      );
      await send(
        'PATCH',
        `/v1/sites/${p.propertyId}/reviews/${review_id}`,
        { status: 'declined', reason: 'off_topic' },
        { ...admin, 'if-match': `"${version}"` },
      );
    },
  },
  'took back that they may be named': {
    days: 366,
    acts: async (p) => {
      await capture(p, { display: { text: `You may show it, ${p.anonId}.`, name: 'Ada' } });
      await send('POST', '/v1/leads/display', { email: p.email, show: false, propertyId: p.propertyId }, {});
    },
  },
  'took back a purpose that was all there was': {
    days: 366,
    acts: async (p) => {
      await capture(p, { consentStatus: 'express', consent: { text: 'Share it.', purposes: ['partners'] } });
      await send('POST', '/v1/leads/unsubscribe', {
        email: p.email,
        propertyId: p.propertyId,
        purposes: ['partners'],
      });
    },
  },
  'inquired about something else than mails': {
    days: 184 + 366,
    acts: (p) => capture(p, { consentStatus: 'implied', consent: { purposes: ['partners'] } }),
  },
  inquired: { days: 184 + 31, acts: (p) => capture(p, { consentStatus: 'implied' }) },
  bought: {
    days: 731 + 31,
    acts: async (p) => {
      await capture(p);
      await buy(p);
    },
  },
  'signed up and told by the browser': {
    days: 366,
    acts: async (p) => {
      await capture(p);
      await send('POST', '/v1/conversions', {
        id: p.anonId,
        kind: 'signup',
        anonId: p.anonId,
        propertyId: p.propertyId,
      });
    },
  },
  left: {
    days: 3 * 366,
    acts: async (p) => {
      await capture(p, { ...LETTER, ...words(p) });
      await unsubscribe(p);
    },
  },
  'left and bought': {
    days: 3 * 366,
    acts: async (p) => {
      await capture(p, LETTER);
      await buy(p);
      await unsubscribe(p);
    },
  },
  restricted: {
    days: null,
    acts: async (p) => {
      await capture(p);
      await send('POST', `/v1/leads/${(await leadOf(p)).lead_id}/restrict`, { all: true });
    },
  },
  'waits for an answer': {
    days: null,
    acts: async (p) => {
      await capture(p);
      await send('POST', '/v1/admin/requests', { kind: 'access', email: p.email, propertyId: p.propertyId });
    },
  },
  imported: {
    days: 366,
    acts: (p) =>
      send('POST', '/v1/leads/import', {
        propertyId: p.propertyId,
        csv: `email,nickname\n${p.email},${p.word}`,
      }),
  },
  'never confirmed': {
    site: 'doi',
    days: 31,
    acts: (p) => capture(p, { formName: 'letter', ...LETTER, ...words(p) }),
  },
  'never confirmed, and asked something': {
    site: 'doi',
    days: 366,
    acts: async (p) => {
      await capture(p, { formName: 'letter', ...LETTER });
      await capture(p, { formName: 'contact' });
    },
  },
  confirmed: {
    site: 'doi',
    days: null,
    acts: async (p) => {
      await capture(p, { formName: 'letter', ...LETTER });
      const lead = await leadOf(p);
      const [asked] = await rows('select token from opt_ins where lead_id = $1', [lead.lead_id]);
      await send('POST', `/v1/confirm/${linkToken(lead.site_id, asked.token)}`, undefined, {});
    },
  },
  'held back': {
    days: 31,
    acts: (p) =>
      capture(p, { payload: { message: `${p.word} <a href="x">x</a> http://y.example http://z.example` } }),
  },
  quiet: { days: 366, acts: (p) => capture(p, {}, { 'sec-gpc': '1' }) },
  corrected: {
    days: 366,
    acts: async (p) => {
      await capture({ ...p, email: `wrong-${p.email}` });
      const { lead_id } = await leadOf({ ...p, email: `wrong-${p.email}` });
      await send('PATCH', `/v1/leads/${lead_id}`, { email: p.email, how: `says ${p.word}` });
    },
  },
  'guessed at': {
    site: 'guessing',
    days: null,
    acts: async (p) => {
      const headers = { 'user-agent': `${BROWSER} ${p.anonId}` };
      await page({ ...p, anonId: `stranger-${p.anonId}` }, '/a-neighbour', headers);
      await capture(p, LETTER, headers);
    },
  },
  'erased on request': {
    days: 0,
    acts: async (p) => {
      await capture(p, { ...LETTER, ...words(p) });
      await send('POST', '/v1/leads/delete', { email: p.email });
    },
  },
  'left before we knew them': { days: null, acts: (p) => unsubscribe(p) },
  'bought, and was never here': { days: null, acts: (p) => buy(p) },
};

const review = (p: Person) =>
  send('POST', '/v1/reviews', {
    email: p.email,
    anonId: p.anonId,
    propertyId: p.propertyId,
    text: `I am ${p.word}, and liked it.`,
    rating: 5,
    display: { text: 'You may show these words.', name: 'Ada' },
  });
const page = (p: Person, path: string, headers = {}) =>
  send('POST', '/v1/events', makeEvent({ anonId: p.anonId, propertyId: p.propertyId, path }), headers);
const buy = (p: Person) =>
  send('POST', '/v1/conversions', {
    id: `order-${p.anonId}`,
    kind: 'purchase',
    email: p.email,
    propertyId: p.propertyId,
    amount: '70.00',
    currency: 'CAD',
  });

/** Done at a filled site, as test/examples.ts has it. */
const DONE = [
  'refreshTokens',
  'updateRequest',
  'renewWebhookSecret',
  'tellDelivery',
  'storeImportRows',
  'createStreamTicket',
  'stopAbTest',
  'endMailReports',
  'createMailReport',
  'revokeKey',
  'revokeShare',
];
/** What its shop, its people and other systems leave at a site: something of all that ends by the clock. */
async function fill(key: string): Promise<void> {
  const place = await makePlace(server, key);
  const examples = examplesOf(place);
  const [imported] = examples.storeImportRows!;
  const yesterday = { seq: 2, kind: 'total', rows: [{ day: addDays(place.today, -1), name: '', visits: 4 }] };
  for (const [id, some] of [
    ...DONE.map((id) => [id, examples[id]!] as const),
    ['storeImportRows', [{ ...imported, body: yesterday }]] as const,
  ]) {
    const route = server.routes.find((one) => one.id === id)!;
    for (const example of some) {
      const { status, text } = await sendExample(server, route, example, admin);
      assert.ok(status < 400, `${id}: ${status} ${text.slice(0, 300)}`);
    }
  }
  const props = { notificationId: place.messageId, variantId: 'default' };
  for (const eventType of ['proof_exposed', 'proof_shown'])
    await send(
      'POST',
      '/v1/events',
      makeEvent({ anonId: place.anonId, propertyId: key, eventType, props }),
      {},
    );
  await job('seen_rollups');
  // as long as they may be named nothing of them ends
  await send('POST', '/v1/leads/display', { email: `ada@${key}.example`, show: false, propertyId: key }, {});
  // what only a flood, a fault, a plan or a running job would bring
  const ended = [place.spareNotificationId, place.messageId];
  for (const [sql, ...values] of [
    [
      "insert into plan_warnings (site_id, month, what, percent, plan_limit) values ($1, date_trunc('month', now())::date, 'events', 80, 100)",
    ],
    [
      "insert into usage_months (site_id, month, events) values ($1, date_trunc('month', now())::date, 1) on conflict do nothing",
    ],
    ["insert into rejections (site_id, route, reason) values ($1, 'events', 'made_up')"],
    [
      "insert into page_origins (site_id, origin, taken, refused) values ($1, 'https://elsewhere.example', 0, 1) on conflict do nothing",
    ],
    ['update outgoing_mails set sent_at = now() where site_id = $1'],
    ['update integration_secrets set ends_at = now() where site_id = $1'],
    [
      "update notifications set status = 'ended', ended_at = now() where site_id = $1 and notification_id = any ($2)",
      ended,
    ],
    [
      "insert into ab_exposures (site_id, test_id, visitor_id, arm, first_exposed_at) values ($1, $2, $3, 'control', now())",
      place.abEndingId,
      place.visitorId,
    ],
    [
      'insert into receipt_acts (site_id, receipt_id, lead_id) select site_id, receipt_id, $2 from receipts where site_id = $1 limit 1',
      place.leadId,
    ],
  ] as [string, ...unknown[]][])
    await rows(sql, [place.siteId, ...values]);
}

/** A sealed day of a site that strangers sent too many names. */
async function overfill(): Promise<void> {
  for (const sql of [
    `update rollup_state set sealed_at = now() where day = now()::date and site_id = (select site_id from sites where key = 'crowded')`,
    `insert into daily_breakdowns (site_id, day, kind, name, page_views)
     select site_id, now()::date, 'page', '/' || n, n from sites, generate_series(1, 103) n where key = 'crowded'`,
    `insert into full_days (site_id, day, what)
     select site_id, now()::date, what from sites, unnest(array['page', 'conversions']) what where key = 'crowded'`,
  ])
    await rows(sql);
}

const personOf = (kind: string, layer: number): Person => {
  const word = `w${layer}x${Object.keys(KINDS).indexOf(kind)}z`;
  return {
    word,
    email: `${word}@${word}.example`,
    anonId: `browser-${layer}-${Object.keys(KINDS).indexOf(kind)}`.padEnd(12, '-'),
    propertyId: KINDS[kind]!.site ?? 'plain',
  };
};

async function makeLayer(layer: number): Promise<void> {
  await Promise.all(
    Object.entries(KINDS).map(async ([kind, { acts }]) => {
      const person = personOf(kind, layer);
      if (!['imported', 'left before we knew them', 'bought, and was never here'].includes(kind))
        await page(person, `/bread-${layer}`);
      await acts(person);
    }),
  );
  // nobody's: a browser, a visitor of a day, and two people in one browser
  await page({ ...personOf('pending', layer), anonId: `only-reads-${layer}` }, '/only-reads');
  await send('POST', '/v1/events', { eventType: 'page_view', path: '/', propertyId: 'plain' }, {});
  await send(
    'POST',
    '/v1/events',
    makeEvent({ anonId: `only-reads-${layer}`, propertyId: 'plain', eventType: 'signup' }),
    {},
  );
  // words alone count in no average: they go with who wrote them
  const { word, email } = personOf('pending', layer);
  await rows(
    "insert into reviews (site_id, lead_id, words, source, written_at) select site_id, lead_id, $1, 'form', now() from leads where email_normalized = $2",
    [`I am ${word}`, email],
  );
  // named, so that nobody counts the thousands of days between the layers
  const today = dayOf(Date.now());
  await job('rollup', { from: addDays(today, -1), to: today });
  if (FILLED.includes(layer)) await fill(`shop-${'abcdefgh'[layer]}`);
  await job('rollup');
  await overfill();
  const wrong = { email: 'owner@shop-a.example', password: 'not it' };
  assert.equal((await call(`${server.url}/v1/auth/login`, 'POST', wrong)).status, 401);
}

/** What the next one that is made, or the next hour, would end by itself: as if none had come. */
async function leaveBehind(): Promise<void> {
  for (const sql of [
    `insert into visitor_profiles (site_id, visitor_id, seen_at, sessions, engaged_minutes, intent, score)
     select site_id, gen_random_uuid(), seen_at - interval '40 days', sessions, engaged_minutes, intent, score from visitor_profiles`,
    `insert into stream_tickets (ticket_hash, site_id, actor, capabilities, expires_at)
     select sha256(ticket_hash), site_id, actor, capabilities, expires_at - interval '40 days' from stream_tickets`,
    // whose time was over two years ago: the night that ended them is not part of this world
    `insert into erasures (site_id, email_hash, erased_at, cause, was_stranger)
     select site_id, sha256(site_id::text::bytea), now() - interval '2 years', 'time', true from sites`,
    // what Stripe told years ago, and today: of this site, of another that the same account bills, and of payments
    `insert into billed_subscriptions (site_id, reference, is_ours, plan_id, is_live, told_at, heard_at, settled_at)
     select site_id, reference || age, is_ours, 'ended', false, now() - age, now() - age, now()
     from sites cross join (values ('sub_ours', true), ('sub_others', false)) as t (reference, is_ours)
     cross join (values (interval '3 years'), (interval '0')) as a (age)`,
    `insert into stripe_payments (site_id, payment, invoice, heard_at) select site_id, 'pi_' || age, 'in_1', now() - age
     from sites cross join (values (interval '3 years'), (interval '0')) as a (age)`,
  ])
    await rows(sql);
}

/** A run writes to them that it ran, and what became of the feed: of them the older rows. */
const WRITTEN = ['audit_log', 'outbox'];
/** Rows of every table that is not the machine's own. */
async function counts(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of Object.keys(TABLES))
    found[table] = Number(
      (
        await rows(
          `select count(*) as n from ${table}${WRITTEN.includes(table) ? " where at < now() - interval '1 day'" : ''}`,
        )
      )[0].n,
    );
  return found;
}
/** Of a machine that goes on meanwhile: a process says every 15 s that it is there. */
const RESTLESS = ['job_runs', 'audit_log', 'rollup_state', 'processes', 'leases'];
async function dump(except = RESTLESS): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  for (const table of Object.keys(TABLES))
    if (!except.includes(table))
      all.set(
        table,
        (await rows(`select t::text as line from ${table} t order by 1`)).map(({ line }) => line),
      );
  return all;
}

/** What a run writes down by itself. */
const BOOKS = [
  'job_runs',
  'processes',
  'leases',
  'erasures',
  'archive_removals',
  'dirty_leads',
  'dirty_days',
  'dirty_visits',
  'service_days',
  'machine_notes',
];
/** What an ending that is more than deleting rows is called among the `rows` of a run. */
const ENDINGS: Record<string, string> = {
  'sealed days': 'events',
  'full days': 'full_days',
  'archive files': 'archives',
  'notification months': 'notification_events',
  'lapsed leads': 'lapsedLeads',
  'unconfirmed leads': 'unconfirmedLeads',
  'pending leads': 'pendingLeads',
  'withdrawn leads': 'withdrawnLeads',
  'proof of consent': 'consentRecords',
  'unsubscribed addresses': 'withdrawalRequests',
  'ended choices': 'browserChoices',
  'proof of display consent': 'displayConsents',
  'old sessions': 'userSessions',
  'old links': 'oneTimeLinks',
  'old sign-ins': 'signIns',
  'failed sign-ins': 'failedSignIns',
  'ended keys': 'keys',
  'ended shares': 'shares',
  'ended webhook secrets': 'webhookSecrets',
  'ended stream tickets': 'streamTickets',
  'ended integration secrets': 'integrationSecrets',
  'old audit entries': 'auditEntries',
};
/** Every rule with a period, and its name among the `rows` of a run. */
const TIMED = Object.entries(TABLES).flatMap(([table, rule]) =>
  keptOf(rule).flatMap((kept) =>
    'for' in kept ? [{ table, rule: kept, name: kept.by ? ENDINGS[kept.by]! : (kept.counted ?? table) }] : [],
  ),
);
/** Under which names of a run's `rows` the rows of a table are counted that go: by rules of its own, and along with others. */
const namesOf = (table: string): string[] => [
  ...new Set([
    ...TIMED.filter((one) => one.table === table && !one.rule.forgets).map(({ name }) => name),
    table,
  ]),
];
/** Its rows go with those of a table that end by the clock, or go along themselves. */
const goesAlong = (table: string): boolean =>
  keptOf(TABLES[table]!).some(
    (kept) => 'with' in kept && (TIMED.some((one) => one.table === kept.with) || goesAlong(kept.with)),
  );

/** Whether something is there that a rule will end, but not yet. */
async function hasYounger({ table, rule: { since, where, ...rule } }: (typeof TIMED)[number]) {
  const bound = boundOf(rule.for, server.services.config, new Date());
  // what a rule asks of other tables may be so only when it is older
  const only = where && !/\bfrom\b/.test(where) ? `and ${where}` : '';
  const found = await rows(
    `select from ${table} target where ${since} >= $1::timestamptz${since === 'day' ? '::date' : ''} ${only} limit 1`,
    [bound],
  );
  return found.length > 0;
}

const numbersOf = async (propertyId: string, from: string, to: string) => {
  const ask = async (report: string) =>
    send('GET', `/v1/metrics/${report}from=${from}&to=${to}&propertyId=${propertyId}`);
  const { metrics, trend } = await ask('summary?');
  const figures = {
    metrics,
    trend,
    purchases: (await ask('attribution?of=purchase&')).rows,
    leads: (await ask('attribution?of=lead&')).rows,
    cohorts: (await ask('cohorts?')).cohorts,
    pages: (await ask('breakdown?by=pages&')).rows,
  };
  // a sum of floats has its last digits by the order of its rows
  return JSON.parse(
    JSON.stringify(figures, (_, value) =>
      typeof value === 'number' ? Number(value.toPrecision(12)) : value,
    ),
  );
};
/** Of the days whose numbers are still kept. */
async function allNumbers() {
  const today = dayOf(Date.now());
  const found: Record<string, unknown> = {};
  for (const [from, to] of [
    [-690, -360],
    [-359, 0],
  ] as const)
    for (const propertyId of ['plain', 'doi', 'guessing'])
      found[`${propertyId}, ${from} to ${to}`] = await numbersOf(
        propertyId,
        addDays(today, from),
        addDays(today, to),
      );
  return found;
}

/** As text, and what stands in bytes. */
const readable = (line: string) =>
  line + line.replace(/\\x((?:[0-9a-f]{2})+)/g, (_, hex) => Buffer.from(hex, 'hex').toString('latin1'));
const wordsIn = (all: Map<string, string[]>) => {
  const found = new Map<string, Set<string>>();
  for (const [table, lines] of all)
    for (const line of lines)
      for (const [word] of readable(line).matchAll(/w\d+x\d+z|[\w.+-]+@shop-\w+\.example/g))
        found.set(word, (found.get(word) ?? new Set()).add(table));
  return found;
};

test('ten years go by', async () => {
  for (const [layer, age] of AGES.entries()) {
    await makeLayer(layer);
    const next = AGES[layer + 1];
    if (next !== undefined) await ageBy(server.database.owner, age - next);
  }
  await leaveBehind();
  const there = wordsIn(await dump());
  for (const [kind, { days }] of Object.entries(KINDS))
    if (days !== 0 && !/before we knew|never here/.test(kind))
      for (const layer of AGES.keys()) {
        const { word } = personOf(kind, layer);
        assert.ok(there.has(word), `${kind} of layer ${layer} did arrive`);
      }
});

test('a dry run says of every table what the night ends, and changes nothing; no number changes either', async () => {
  // what was changed above has feeds built anew, which sign receipts: that is no purge's doing, and may come at any moment
  await server.services.feeds.close();
  // so is an endpoint that is tried again by its own clock
  await server.services.deliverer.close();
  const numbers = await allNumbers();
  const ended: Record<string, number> = {};
  const gone: Record<string, number> = {};
  for (const night of ['first', 'second', 'third']) {
    const before = await dump();
    const dry = await job('purge', { dryRun: true });
    assert.deepEqual(await dump(), before, 'a dry run changes nothing');
    const were = await counts();
    const done = await job('purge');
    const are = await counts();
    const said = ({ sealed, partitions, folded }: typeof dry) => ({ sealed, partitions, folded });
    assert.deepEqual(dry.rows, done.rows, `the ${night} night: said and done`);
    assert.deepEqual(said(dry), said(done));
    for (const [name, count] of Object.entries<number>(done.rows)) ended[name] = (ended[name] ?? 0) + count;
    for (const table of Object.keys(TABLES).filter((name) => !BOOKS.includes(name))) {
      gone[table] = (gone[table] ?? 0) + were[table]! - are[table]!;
      assert.equal(
        were[table]! - are[table]!,
        namesOf(table).reduce((sum, name) => sum + (dry.rows[name] ?? 0), 0),
        `${table}, the ${night} night`,
      );
    }
    if (night === 'third')
      assert.deepEqual(
        Object.entries(done.rows).filter(([, count]) => count !== 0),
        [],
        'two nights are enough',
      );
    await job('rollup');
    const now = await allNumbers();
    for (const [what, figures] of Object.entries(numbers)) assert.deepEqual(now[what], figures, what);
  }
  const missing = TIMED.filter(({ name }) => !ended[name]);
  assert.deepEqual(
    [
      ...missing.map(({ table, name }) => `${table}: ${name}`),
      ...Object.keys(TABLES).filter((table) => goesAlong(table) && !gone[table]),
    ],
    [],
    'of everything that ends by the clock, or along with it, something was old enough',
  );
  const allGone: string[] = [];
  // who of the leads stays is said by their kinds
  for (const one of TIMED)
    if (one.table !== 'leads' && !(await hasYounger(one))) allGone.push(`${one.table}: ${one.name}`);
  for (const table of Object.keys(TABLES))
    if (goesAlong(table) && (await rows(`select from ${table} limit 1`)).length === 0) allGone.push(table);
  assert.deepEqual(allGone, [], 'and something younger of each is still there');
});

test('what a run counts is of one table', () => {
  const owners = Map.groupBy(TIMED, ({ name }) => name);
  for (const [name, rules] of owners) {
    assert.ok(name, `${rules.map(({ rule }) => rule.by)} has a name among the rows of a run`);
    assert.equal(new Set(rules.map(({ table }) => table)).size, 1, name);
    assert.ok(!(name in TABLES) || name === rules[0]!.table, name);
  }
});

test('nobody is there who should not be, and whoever should is', async () => {
  // in no table at all, and in no journal beside them
  const all = await dump([]);
  for (const file of readdirSync(server.folder, { recursive: true, withFileTypes: true }))
    if (file.isFile()) all.set(file.name, [readFileSync(join(file.parentPath, file.name), 'latin1')]);
  const there = wordsIn(all);
  const ofTheShop = (shop: string) => [...there].filter(([word]) => word.endsWith(`@${shop}.example`));
  assert.deepEqual(ofTheShop('shop-a'), []);
  assert.ok(ofTheShop('shop-h').length > 0);
  const leads = new Set(
    (await rows('select email_normalized as email from leads')).map(({ email }) => email),
  );
  for (const [kind, { days }] of Object.entries(KINDS))
    for (const [layer, age] of AGES.entries()) {
      const { word, email } = personOf(kind, layer);
      const where = `${kind}, ${age} days ago: ${[...(there.get(word) ?? [])]}`;
      if (days === null ? /before we knew|never here/.test(kind) : age >= days)
        assert.equal(there.has(word), false, where);
      else {
        assert.equal(there.has(word), true, where);
        assert.equal(leads.has(email), kind !== 'held back', where);
      }
    }
});

test('what is left of visits is younger than they are kept, or tied to a lead and without a hash', async () => {
  const OLD = "now() - interval '91 days'";
  assert.deepEqual(
    await rows(
      `select v.visitor_id from visitors v where last_seen_at < ${OLD} and (ip_hash is not null or ua_hash is not null
         or not exists (select from lead_identities i where i.site_id = v.site_id and i.visitor_id = v.visitor_id and i.link_source = 'form_submit'))`,
    ),
    [],
  );
  assert.ok((await rows(`select from visitors where last_seen_at < ${OLD}`)).length > 0);
  assert.deepEqual(
    await rows(`select from lead_identities where link_source = 'same_ip_ua_window' and linked_at < ${OLD}`),
    [],
  );
  assert.ok((await rows("select from lead_identities where link_source = 'same_ip_ua_window'")).length > 0);
});

test('an old list of those who ended brings nobody back, and says why; who comes by a form is welcome', async () => {
  const gone = personOf('left', 0);
  const csv = `email\n${gone.email}`;
  const { rows: told } = await send('POST', '/v1/leads/import', { propertyId: 'plain', csv });
  assert.match(told[0].message, /time was over/);
  assert.equal(await leadOf(gone), undefined);
  await capture(gone, { ...LETTER, path: '/again' });
  assert.equal((await leadOf(gone)).consent_status, 'express');
});

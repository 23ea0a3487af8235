// A world of every kind of person, some of them ten years old by the clock: the dry run says table by table what a night ends,
// nobody is there afterwards who should not be, and no number has changed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ageBy } from '../../../test/aged.ts';
import { makeEvent } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { keptOf } from '../../ground/tables.ts';
import { linkToken } from '../../product/consent/link.ts';
import { goneWhenOver } from '../../product/erasure/forget.ts';

/** Days since each layer of the world was made, oldest first; no two distances alike, so that days never meet while they move. */
const AGES = [3650, 1010, 500, 250, 100, 45, 10, 0];
const TABLES = tablesOf(FEATURES);

let server: TestServer;
before(async () => {
  server = await startServer({
    SMTP_URL: 'smtp://127.0.0.1:1',
    MAIL_FROM: 'hello@bakery.example',
    MAIL_SENDER: 'The bakery, 1 Lane, Toronto',
    PUBLIC_URL: 'https://api.bakery.example',
  });
  for (const [key, settings] of [
    ['plain', {}],
    ['doi', { doubleOptIn: true }],
    ['guessing', { linking: 'on' }],
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
  // named, so that nobody counts the thousands of days between the layers
  const today = dayOf(Date.now());
  await job('rollup', { from: addDays(today, -1), to: today });
  await job('rollup');
}

/** Rows of every table that is not the machine's own. */
async function counts(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of Object.keys(TABLES))
    found[table] = Number(
      (
        await rows(
          `select count(*) as n from ${table}${table === 'audit_log' ? " where at < now() - interval '1 day'" : ''}`,
        )
      )[0].n,
    );
  return found;
}
async function dump(): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  // a process says every 15 s that it is there
  for (const table of Object.keys(TABLES))
    if (!['job_runs', 'audit_log', 'rollup_state', 'processes', 'leases'].includes(table))
      all.set(
        table,
        (await rows(`select t::text as line from ${table} t order by 1`)).map(({ line }) => line),
      );
  return all;
}

/** What a run writes down by itself. */
const BOOKS = [
  'job_runs',
  'erasures',
  'dirty_leads',
  'dirty_days',
  'dirty_visits',
  'service_days',
  'machine_notes',
];
const LEADS_THAT_END = ['lapsedLeads', 'unconfirmedLeads', 'pendingLeads', 'withdrawnLeads'];
/** Under which names of a run's `rows` the rows of a table are counted that go. */
function namesOf(table: string): string[] {
  const byHand: Record<string, string[]> = {
    leads: LEADS_THAT_END,
    consent_records: ['consentRecords'],
    withdrawal_requests: ['withdrawalRequests'],
    audit_log: ['auditEntries'],
  };
  const rules = keptOf(TABLES[table]!).flatMap((kept) =>
    'for' in kept && !kept.forgets && !kept.by ? [kept.counted ?? table] : [],
  );
  return [
    ...new Set([
      ...rules,
      ...(byHand[table] ?? []),
      ...(goneWhenOver(TABLES).includes(table) || table === 'events' ? [table] : []),
    ]),
  ];
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

const wordsIn = (all: Map<string, string[]>) => {
  const found = new Map<string, Set<string>>();
  for (const [table, lines] of all)
    for (const line of lines)
      for (const [word] of line.matchAll(/w\d+x\d+z/g))
        found.set(word, (found.get(word) ?? new Set()).add(table));
  return found;
};

test('ten years go by', async () => {
  for (const [layer, age] of AGES.entries()) {
    await makeLayer(layer);
    const next = AGES[layer + 1];
    if (next !== undefined) await ageBy(server.database.owner, age - next);
  }
  const there = wordsIn(await dump());
  for (const [kind, { days }] of Object.entries(KINDS))
    if (days !== 0 && !/before we knew|never here/.test(kind))
      for (const layer of AGES.keys()) {
        const { word } = personOf(kind, layer);
        assert.ok(there.has(word), `${kind} of layer ${layer} did arrive`);
      }
});

test('a dry run says of every table what the night ends, and changes nothing; no number changes either', async () => {
  const numbers = await allNumbers();
  for (const night of ['first', 'second', 'third']) {
    const before = await dump();
    const dry = await job('purge', { dryRun: true });
    assert.deepEqual(await dump(), before, 'a dry run changes nothing');
    const were = await counts();
    const done = await job('purge');
    const are = await counts();
    assert.deepEqual(dry.rows, done.rows, `the ${night} night: said and done`);
    assert.deepEqual([dry.sealed, dry.partitions], [done.sealed, done.partitions]);
    for (const table of Object.keys(TABLES).filter((name) => !BOOKS.includes(name)))
      assert.equal(
        were[table]! - are[table]!,
        namesOf(table).reduce((sum, name) => sum + (dry.rows[name] ?? 0), 0),
        `${table}, the ${night} night`,
      );
    if (night === 'first')
      for (const name of [...LEADS_THAT_END, 'guessedLinks', 'visitorHashes', 'payloads', 'conversions'])
        assert.ok(done.rows[name] > 0, `${name} were there to end`);
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
});

test('nobody is there who should not be, and whoever should is', async () => {
  const there = wordsIn(await dump());
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

// People drawn at random share browsers, send GPC, wait in quarantine, are imported, bought, corrected, objected to: each gets
// exactly the rows that a reading of all tables by other means finds for them, and no word of anybody else.
// SEED=… repeats a run; PEOPLE=300 makes a larger world than the suite does.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { makeEvent } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { emailHash } from '../captures/capture.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { listName, personTables } from './held.ts';

const SEED = process.env.SEED ?? String(Math.floor(Math.random() * 1e9));
const PEOPLE = Number(process.env.PEOPLE ?? 40);
const SITES: Record<string, object> = {
  form: {},
  off: { linking: 'off' },
  consent: { linking: 'consent' },
  on: { linking: 'on' },
  doi: { doubleOptIn: true },
};

const random = randomFrom(`access ${SEED}`);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

let server: TestServer;
const siteIds: Record<string, string> = {};
before(async () => {
  server = await startServer({
    SMTP_URL: 'smtp://127.0.0.1:1',
    MAIL_FROM: 'hello@bakery.example',
    MAIL_SENDER: 'The bakery, 1 Lane, Toronto',
    PUBLIC_URL: 'https://api.bakery.example',
  });
  for (const [key, settings] of Object.entries(SITES))
    siteIds[key] = (await send('POST', '/v1/sites', { key, name: key, settings })).body.site.siteId;
});
after(() => server.end());

interface Person {
  /** In everything they type or do, and in nothing else. */
  word: string;
  email: string;
  site: string;
}
const people: Person[] = Array.from({ length: PEOPLE }, (_, n) => {
  const word = `q${n}w${Math.floor(random() * 1e9).toString(36)}q`;
  return { word, email: `${word}@${word}.example`, site: pick(Object.keys(SITES)) };
});
// fewer browsers than people: some are shared
const BROWSERS = Array.from({ length: Math.ceil(PEOPLE * 0.6) }, (_, n) => `browser-${SEED}-${n}`);

const send = async (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = admin,
) => {
  const answer = await call(server.url + path, method, body, headers);
  assert.ok(
    answer.status < 500,
    `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)} SEED=${SEED}`,
  );
  return answer;
};
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const leadOf = async ({ email, site }: Person) =>
  (
    await rows('select lead_id as id from leads where site_id = $1 and email_normalized = $2', [
      siteIds[site],
      email,
    ])
  )[0]?.id;

/** Where they sit: a browser with an id, in GPC or not; or none but the address and name of the day. */
const seat = () => {
  const anonId = random() < 0.8 ? pick(BROWSERS) : undefined;
  return {
    at: anonId ? { anonId } : {},
    anonId,
    headers: {
      'user-agent': `${BROWSER} seat/${anonId ?? Math.floor(random() * 5)}`,
      ...(random() < 0.2 ? { 'sec-gpc': '1' } : {}),
    } as Record<string, string>,
  };
};

/** Without a word of theirs: whoever leaves no address in a browser cannot be told from who does. */
async function reads({ site }: Person): Promise<void> {
  const { anonId, headers } = seat();
  await send(
    'POST',
    '/v1/events',
    makeEvent({ anonId, path: `/page-${Math.floor(random() * 9)}`, propertyId: site }),
    headers,
  );
}
async function sends({ word, email, site }: Person): Promise<void> {
  const { at, headers } = seat();
  const isSpam = random() < 0.2;
  const consentStatus = pick(['pending', 'express', 'implied']);
  await send(
    'POST',
    '/v1/leads/capture',
    {
      email: random() < 0.3 ? email.toUpperCase() : email,
      ...at,
      propertyId: site,
      path: `/form-${word}`,
      formName: `form-${word}`,
      sourceChannel: word,
      payload: isSpam
        ? { message: `${word} <a href="x">x</a> http://y.example http://z.example` }
        : { message: `I am ${word}`, [word]: 1 },
      consentStatus,
      consent: {
        text: `I, ${word}, agree.`,
        purposes: pick([['email'], ['email', 'profile'], ['partners']]),
      },
    },
    headers,
  );
}
async function reviews({ word, email, site }: Person): Promise<void> {
  const { at, headers } = seat();
  const display = { text: `I, ${word}, allow it.`, name: 'Ada', city: `Town of ${word}` };
  const review = { rating: 4, text: `Bread of ${word}`, product: `rye of ${word}`, display };
  await send(
    'POST',
    '/v1/reviews',
    { email, ...at, propertyId: site, path: `/review-${word}`, ...review },
    headers,
  );
}
/** Whose form was taken for spam: whose it was nobody knows any more. */
const dropped = new Set<string>();
const ACTS: ((person: Person) => Promise<unknown>)[] = [
  reads,
  reads,
  sends,
  sends,
  sends,
  reviews,
  ({ email, site, word }) =>
    send('POST', '/v1/leads/import', { propertyId: site, csv: `email,nickname\n${email},${word}` }),
  ({ email, site, word }) =>
    send('POST', '/v1/conversions', {
      propertyId: site,
      id: `order-${word}-${Math.floor(random() * 3)}`,
      kind: pick(['signup', 'purchase']),
      email,
      ...(random() < 0.5 ? { anonId: pick(BROWSERS) } : {}),
      ...(random() < 0.5 ? { amount: '7.00', currency: 'CAD' } : {}),
    }),
  // of a browser, whoever sits there
  ({ site }) =>
    send('POST', '/v1/conversions', {
      propertyId: site,
      id: `till-${Math.floor(random() * 1e6)}`,
      kind: 'signup',
      anonId: pick(BROWSERS),
    }),
  ({ email, site, word }) =>
    send('POST', '/v1/leads/unsubscribe', { email, propertyId: site, reason: `says ${word}` }, {}),
  ({ email, site, word }) =>
    send('POST', '/v1/admin/requests', {
      kind: 'correction',
      email,
      propertyId: site,
      how: `letter of ${word}`,
    }),
  async (person) => {
    const id = await leadOf(person);
    if (!id) return;
    const how = `told by ${person.word}`;
    await pick([
      () => send('POST', `/v1/leads/${id}/restrict`, { profiling: true, how }),
      () => send('POST', `/v1/leads/${id}/restrict`, { all: true, how }),
      () => send('POST', `/v1/leads/${id}/withdraw`, { receivedAt: new Date().toISOString(), how }),
      () => send('PATCH', `/v1/leads/${id}`, { email: person.email, how }),
      () => send('GET', `/v1/leads/${id}`),
      () =>
        send('POST', '/v1/identities/merge', { leadId: id, anonId: pick(BROWSERS), propertyId: person.site }),
      () =>
        send('POST', '/v1/identities/unmerge', {
          leadId: id,
          anonId: pick(BROWSERS),
          propertyId: person.site,
        }),
    ])();
  },
  // whoever works there looks at them, alone or among others
  ({ email, site }) =>
    pick([
      () => send('GET', `/v1/leads?propertyId=${site}&limit=5`),
      () => send('POST', '/v1/leads/search', { propertyId: site, q: email }),
      () => send('POST', '/v1/leads/erasure-proof', { email }),
      () => send('POST', '/v1/leads/export-subject', { email }),
      () => send('POST', '/v1/leads/erasure-proof', { anonId: pick(BROWSERS), propertyId: site }),
    ])(),
  async ({ site }) => {
    const { body } = await send('GET', `/v1/sites/${site}/reviews?limit=20`);
    const review = body.reviews.length > 0 ? pick(body.reviews as { reviewId: string }[]) : null;
    if (review) await send('GET', `/v1/sites/${site}/reviews/${review.reviewId}`);
    const [visitor] = await rows(
      'select visitor_id as id from visitors where site_id = $1 order by md5(visitor_id::text || $2) limit 1',
      [siteIds[site], String(random())],
    );
    if (visitor)
      await send('POST', '/v1/admin/bots', { visitorId: visitor.id, bot: false, propertyId: site });
  },
  async ({ site }) => {
    const { body } = await send('GET', '/v1/admin/requests');
    const open = body.requests.filter(({ siteId }: { siteId: string }) => siteId === siteIds[site]);
    if (open.length > 0)
      await send('PATCH', `/v1/admin/requests/${pick(open as { requestId: string }[]).requestId}`, {
        note: 'seen',
      });
  },
  ({ email, site }) => send('POST', '/v1/leads/delete', { email, propertyId: site }),
  async () => {
    const [waiting] = await rows(
      'select quarantine_id as id, email_normalized as email from quarantine where decision is null order by quarantine_id limit 1',
    );
    const decision = pick(['release', 'drop']);
    if (!waiting) return;
    await send('POST', `/v1/admin/quarantine/${waiting.id}/${decision}`, undefined);
    if (decision === 'drop') dropped.add(waiting.email);
  },
];

// biome-ignore lint/suspicious/noExplicitAny: rows of every table
type Row = Record<string, any>;
type Everything = Map<string, Row[]>;

/** By hand, of what is by person: whose a row is. Not read off the product. */
const WHOSE: Record<
  string,
  'lead' | 'visitor' | 'lead or visitor' | 'address' | 'conversion' | 'touch' | 'hash' | 'looked at'
> = {
  leads: 'lead',
  lead_rectifications: 'lead',
  lead_identities: 'lead',
  submissions: 'lead',
  opt_ins: 'lead',
  consent_details: 'lead',
  outgoing_mails: 'lead',
  lead_facts: 'lead',
  lead_credits: 'lead',
  lead_touches: 'touch',
  display_details: 'lead',
  reviews: 'lead',
  receipt_acts: 'lead',
  outbox: 'lead or visitor',
  deliveries: 'lead or visitor',
  quarantine: 'address',
  your_data_links: 'address',
  mail_recipients: 'hash',
  browser_choices: 'visitor',
  conversions: 'conversion',
  visitors: 'visitor',
  sessions: 'visitor',
  events: 'visitor',
  event_keys: 'visitor',
  visit_facts: 'visitor',
  session_days: 'visitor',
  notification_events: 'visitor',
  ab_exposures: 'visitor',
  visitor_days: 'visitor',
  visitor_profiles: 'visitor',
  restored_events: 'visitor',
  bot_verdicts: 'visitor',
  withdrawal_requests: 'hash',
  erasures: 'hash',
  people_requests: 'hash',
  audit_log: 'looked at',
};

async function readEverything(): Promise<Everything> {
  const all: Everything = new Map();
  for (const table of [...Object.keys(WHOSE)])
    all.set(
      table,
      (await rows(`select to_jsonb(t) as row from ${table} t`)).map(({ row }) => row),
    );
  return all;
}

/** The rows of a person, table by table, by plain search. */
function rowsOf({ email, site }: Person, all: Everything): Map<string, Row[]> {
  const here = (table: string) => all.get(table)!.filter((row) => row.site_id === siteIds[site]);
  const lead = here('leads').find((row) => row.email_normalized === email)?.lead_id ?? null;
  const hash = emailHash(PEPPER, siteIds[site]!, email);
  const owner = new Map(here('event_keys').map((row) => [row.event_id, row.visitor_id]));
  // every form that reached us, with who sent it
  const forms = [
    ...here('submissions').map((row) => ({
      event: row.event_id,
      who: row.lead_id as string,
      mine: row.lead_id === lead,
    })),
    ...here('quarantine')
      .filter((row) => row.email_normalized !== null)
      .map((row) => ({
        event: row.event_id,
        who: row.email_normalized as string,
        mine: row.email_normalized === email,
      })),
  ].filter(({ event }) => event !== null);
  const mine = forms.filter((form) => form.mine);
  const links = here('lead_identities').filter((row) => row.link_source !== 'same_ip_ua_window');
  const browsers = new Set([
    ...mine.flatMap(({ event }) => owner.get(event) ?? []),
    ...links
      .filter((row) => row.lead_id === lead && (row.link_source === 'form_submit' || !row.unlinked_at))
      .map((row) => row.visitor_id),
  ]);
  const others = new Set([
    ...forms.filter((form) => !form.mine).flatMap(({ event }) => owner.get(event) ?? []),
    ...links.filter((row) => row.lead_id !== lead && !row.unlinked_at).map((row) => row.visitor_id),
  ]);
  const own = new Set([...browsers].filter((id) => !others.has(id)));
  const shared = new Set([...browsers].filter((id) => others.has(id)));
  const ofForm = new Set(mine.map(({ event }) => event));
  const theirIds = [
    ...here('reviews').flatMap((row) => (lead !== null && row.lead_id === lead ? [row.review_id] : [])),
    ...here('quarantine').flatMap((row) => (row.email_normalized === email ? [row.quarantine_id] : [])),
    ...here('your_data_links').flatMap((row) => (row.email_normalized === email ? [row.link_id] : [])),
    ...here('people_requests').flatMap((row) => (row.email_hash === hash ? [row.request_id] : [])),
    ...here('erasures').flatMap((row) => (row.email_hash === hash ? [row.erasure_id] : [])),
  ];
  const isTheirs: Record<(typeof WHOSE)[string], (row: Row, table: string) => boolean> = {
    lead: (row) => lead !== null && row.lead_id === lead,
    touch: (row) => lead !== null && row.lead_id === lead && !shared.has(row.visitor_id),
    visitor: (row, table) =>
      own.has(row.visitor_id) ||
      (table === 'events' && shared.has(row.visitor_id) && ofForm.has(row.event_id)),
    address: (row) => row.email_normalized === email,
    conversion: (row) =>
      (lead !== null && row.lead_id === lead) ||
      row.email_hash === hash ||
      (row.lead_id === null && row.email_hash === null && own.has(row.visitor_id)),
    'lead or visitor': (row) =>
      (lead !== null && row.lead_id === lead) || (row.lead_id === null && own.has(row.visitor_id)),
    hash: (row) => row.email_hash === hash,
    // whatever names them, a browser of theirs, or a row of theirs that has an id of its own
    'looked at': ({ target, details }) =>
      (target !== null && [lead, hash.replace('\\x', ''), ...own, ...theirIds].includes(target)) ||
      (lead !== null && (details?.leadIds ?? []).includes(lead)),
  };
  return new Map(
    Object.entries(WHOSE).map(([table, whose]) => [
      table,
      here(table).filter((row) => isTheirs[whose](row, table)),
    ]),
  );
}

const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
let keys: Map<string, string[]>;
async function readKeys(): Promise<void> {
  const found = await rows(
    `select c.relname as table, a.attname as name from pg_index i join pg_class c on c.oid = i.indrelid
     join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
     where i.indisprimary and c.relname = any ($1) and a.attname <> 'site_id'`,
    [Object.keys(WHOSE)],
  );
  keys = new Map(
    [...Map.groupBy(found, (row) => row.table)].map(([table, all]) => [table, all.map(({ name }) => name)]),
  );
  keys.set('events', ['event_id']);
}
const named = (table: string, row: Row, spelled: (name: string) => string) =>
  keys
    .get(table)!
    .map((name) => String(row[spelled(name)]))
    .join(' ');

test('the tables by person are those whose rows are searched here', () => {
  assert.deepEqual(
    [
      ...personTables(tablesOf(FEATURES)),
      'withdrawal_requests',
      'erasures',
      'people_requests',
      'audit_log',
    ].sort(),
    Object.keys(WHOSE).sort(),
  );
});

test(`of ${PEOPLE} people drawn at random each gets exactly what is theirs (SEED=${SEED})`, async () => {
  const turns = people.flatMap((person) =>
    Array.from({ length: 3 + Math.floor(random() * 5) }, () => ({ person, act: pick(ACTS) })),
  );
  for (let left = turns.length; left > 1; left -= 1) {
    const at = Math.floor(random() * left);
    [turns[at], turns[left - 1]] = [turns[left - 1]!, turns[at]!];
  }
  for (const { person, act } of turns) await act(person);
  await send('POST', '/v1/admin/jobs/rollup', {});
  await readKeys();
  const all = await readEverything();
  const since = new Date().toISOString();
  const seen = { found: 0, shared: 0, nothing: 0, amongOthers: 0 };
  for (const person of people) {
    const { status, body } = await send('POST', '/v1/leads/export-subject', {
      email: person.email,
      propertyId: person.site,
    });
    const where = `${person.email} on ${person.site}, SEED=${SEED}`;
    const theirs = rowsOf(person, all);
    const marks = ['withdrawal_requests', 'erasures', 'people_requests', 'audit_log'];
    const isHeld = [...theirs].some(
      ([table, held]) => held.length > 0 && ![...marks, 'your_data_links'].includes(table),
    );
    assert.equal(status, isHeld ? 200 : 404, `${where}: ${JSON.stringify(body).slice(0, 200)}`);
    if (!isHeld) {
      seen.nothing += 1;
      continue;
    }
    seen.found += 1;
    for (const [table, held] of theirs) {
      const list: Row[] = body.subject[listName(table)] ?? [];
      // this answer is itself written down while it is sent
      const before = list.filter(
        (row) => !((row.receivedAt ?? row.at ?? '') >= since && marks.includes(table)),
      );
      assert.deepEqual(
        before.map((row) => named(table, row, camelCase)).sort(),
        held.map((row) => named(table, row, (name) => name)).sort(),
        `${table} of ${where}`,
      );
    }
    // a line that names many tells each of themselves alone
    const shownLeads = (body.subject.disclosures as Row[]).flatMap(({ details }) => details?.leadIds ?? []);
    for (const id of shownLeads) assert.equal(id, body.subject.lead.leadId, where);
    seen.amongOthers += shownLeads.length;
    const text = JSON.stringify(body.subject);
    for (const other of people)
      if (other !== person && !dropped.has(other.email))
        assert.ok(
          !text.includes(other.word),
          `${where} is told of another: ${text.slice(Math.max(0, text.indexOf(other.word) - 200), text.indexOf(other.word) + 60)}`,
        );
  }
  assert.ok(seen.found > PEOPLE / 3 && seen.amongOthers > 0, JSON.stringify(seen));
});

test('of a browser the same, by its own id', async () => {
  const all = await readEverything();
  let found = 0;
  for (const anonId of BROWSERS.slice(0, 20))
    for (const site of Object.keys(SITES).slice(0, 2)) {
      const id = visitorIdOf(siteIds[site]!, anonId);
      // whose the forms were, the id does not tell
      const forms = new Set(
        [...all.get('submissions')!, ...all.get('quarantine')!].map((row) => row.event_id),
      );
      const theirs = all.get('events')!.filter((row) => row.visitor_id === id && !forms.has(row.event_id));
      const { status, body } = await send('POST', '/v1/leads/export-subject', { anonId, propertyId: site });
      if (status === 404) {
        assert.ok(!all.get('events')!.some((row) => row.visitor_id === id));
        continue;
      }
      found += 1;
      assert.deepEqual(
        (body.subject.events as Row[]).map((row) => row.eventId).sort(),
        theirs.map((row) => row.event_id).sort(),
      );
      assert.equal(body.subject.lead, null);
      for (const list of ['events', 'eventKeys', 'conversions', 'submissions'])
        for (const { word } of people)
          assert.ok(
            !JSON.stringify(body.subject[list] ?? []).includes(word),
            `${list} of ${anonId}, SEED=${SEED}`,
          );
    }
  assert.ok(found > 0);
});

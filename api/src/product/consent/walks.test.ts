// Whatever happens in whatever order: the ledger, and everything read off it, against a model of the contract.
// SEED=… repeats a run; WALKS=100000 walks longer than the suite does (node test/run.ts --test-timeout=100000000 …).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { listConsentRecords } from '../../../test/leads.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import type { Db } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readAddress } from '../../ground/lib/email.ts';
import type { Capture } from '../captures/capture.ts';
import { emailHash } from '../captures/capture.ts';
import { storeCapture } from '../captures/store.ts';
import { storeConversions } from '../conversions/store.ts';
import { forgetting } from '../erasure/forget.ts';
import { correctAddress } from '../erasure/rights.ts';
import { importRow } from '../leads/import-one.ts';
import { type ImportedRow, importedRow } from '../leads/import-rows.ts';
import { chainFaults } from './chain.ts';
import { newKey } from './link.ts';
import { confirmOptIn } from './opt-in.ts';
import { recordConsent, withdrawConsent } from './record.ts';
import { Person } from './transitions.model.ts';
import { PURPOSES, type Purpose, type Request, type Said, type Status } from './transitions-parts.model.ts';

const SEED = process.env.SEED ?? String(Math.floor(Math.random() * 1e9));
const WALKS = Number(process.env.WALKS ?? 300);
const STEPS = 8;
const LANES = 4;

const MINUTE = 60_000;
const DAY = 86_400_000;

let database: TestDatabase;
let site: string;
let forget: ReturnType<typeof forgetting>;
before(async () => {
  database = await makeDatabase();
  site = (
    await database.owner.query("insert into sites (key, name) values ('walks', 'Walks') returning site_id")
  ).rows[0].site_id;
  forget = forgetting(database.app, tablesOf(FEATURES), null);
});
after(() => database.drop());

interface Walk {
  person: Person;
  /** The address they are known by, and one that they may be corrected to. */
  email: string;
  other: string;
  doubleOptIn: boolean;
  now: number;
  requests: Request[];
  told: string[];
  random: () => number;
}

const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const iso = (at: number) => new Date(at).toISOString();
const uuid = (random: () => number) =>
  `${Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')}`.replace(
    /^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/,
    '$1-$2-4$3-8$4-$5',
  );

const hashOf = (email: string) => emailHash('pepper of the walks', site, email);
const WHAT: (Purpose[] | ['all'])[] = [['all'], ['all'], ['email'], ['partners'], ['email', 'partners']];
const leadIdOf = async ({ email }: Walk): Promise<string | undefined> =>
  (
    await database.owner.query<{ lead_id: string }>(
      'select lead_id from leads where site_id = $1 and email_normalized = $2',
      [site, email],
    )
  ).rows[0]?.lead_id;

function saidIn({ random }: Pick<Walk, 'random'>): Said {
  return {
    purposes: pick(random, [['email'], ['email'], ['partners'], ['email', 'partners']] as Purpose[][]),
    words: pick(random, ['Write to me.', 'Write to me.', 'And share it.', null]),
    policy: pick(random, ['1', '1', '2', null]),
  };
}

async function capture(walk: Walk): Promise<void> {
  const { random, person, email, now, doubleOptIn } = walk;
  const hash = hashOf(email);
  const status = pick(random, ['pending', 'implied', 'express', 'express', 'express'] as const);
  const said = saidIn(walk);
  const token = newKey();
  walk.told.push(`capture ${status} ${JSON.stringify(said)}`);
  const parts: Partial<Capture> = {
    site_id: site,
    lead_id: uuid(random),
    submission_id: uuid(random),
    received_at: iso(now),
    email,
    email_normalized: email,
    email_domain: 'example.com',
    domain_class: 'business',
    email_hash: hash,
    unsubscribe_key: newKey(),
    event: null,
    body_key: uuid(random),
    inactivity: '30 minutes',
    form_name: 'letter',
    source: 'direct',
    privacy_signal: false,
    heuristics: false,
    links: true,
    window_minutes: 15,
    spam_score: 0,
    suspicions: [],
    consent: {
      status,
      basis: 'form',
      occurred_at: iso(now),
      purposes: said.purposes,
      words: said.words ?? undefined,
      policy_version: said.policy ?? undefined,
      double_opt_in: doubleOptIn,
      token: doubleOptIn ? token : undefined,
    },
  };
  await storeCapture(database.app, parts as Capture);
  const before = person.lead?.requests.length ?? 0;
  person.capture(status, said, now, Date.now(), doubleOptIn ? token : null);
  const requests = person.lead?.requests ?? [];
  if (requests.length > before) walk.requests.push(requests.at(-1)!);
  if (person.mayBeTied)
    await database.owner.query(
      `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
       values ($1, $2, $3, 'form_submit', 1, $4)`,
      [site, await leadIdOf(walk), uuid(random), iso(now)],
    );
}

async function confirm(walk: Walk): Promise<void> {
  const { random, person, now } = walk;
  if (walk.requests.length === 0) return;
  const request = pick(random, [walk.requests.at(-1)!, pick(random, walk.requests)]);
  walk.told.push(`confirm the one of ${iso(request.at)}`);
  const from = { ip_hash: '\\x01', ua_hash: '\\x02', privacy_signal: false };
  const said = await confirmOptIn(database.app, {
    site_id: site,
    token: request.token,
    at: iso(now),
    valid_days: 14,
    inactivity: '30 minutes',
    ...from,
    event: { ...from, event_type: 'email_verify', path: '/', source: 'email', is_conversion: false } as never,
  });
  assert.equal(said, person.confirm(request, now), trail(walk));
}

async function withdraw(walk: Walk): Promise<void> {
  const { random, person, email, now } = walk;
  const hash = hashOf(email);
  const way = pick(random, [
    'unsubscribe_link',
    'one_click',
    'unsubscribe_request',
    'unsubscribe_request',
    'self_service',
    'admin',
  ] as const);
  const what = pick(random, WHAT);
  const isByAddress = way === 'unsubscribe_request';
  const { rows } = await database.owner.query(
    'select unsubscribe_key from leads where site_id = $1 and email_normalized = $2',
    [site, email],
  );
  if (!isByAddress && rows.length === 0) return;
  walk.told.push(`withdraw ${what} by ${way}`);
  await withdrawConsent(database.app, {
    site_id: site,
    request_id: uuid(random),
    at: iso(now),
    basis: way,
    purposes: what[0] === 'all' ? undefined : what,
    ...(isByAddress ? { email_normalized: email, email_hash: hash } : { key: rows[0].unsubscribe_key }),
  });
  person.withdraw(what, now, isByAddress);
}

/** By an address that is nobody's, and may become theirs. */
async function withdrawElsewhere({ random, person, other, now, told }: Walk): Promise<void> {
  const what = pick(random, WHAT);
  told.push(`withdraw ${what} by the other address`);
  await withdrawConsent(database.app, {
    site_id: site,
    request_id: uuid(random),
    at: iso(now),
    basis: 'unsubscribe_request',
    purposes: what[0] === 'all' ? undefined : what,
    email_normalized: other,
    email_hash: hashOf(other),
  });
  person.withdrawElsewhere(what, now);
}

async function rectify(walk: Walk): Promise<void> {
  const { person, email, other, now, told } = walk;
  const leadId = await leadIdOf(walk);
  if (!leadId) return;
  told.push('rectify');
  const isDone = await inSites(database.app, site, (db) =>
    correctAddress(db, site, leadId, {
      before: email,
      beforeHash: hashOf(email),
      after: readAddress(other)!,
      afterHash: hashOf(other),
      receivedAt: new Date(now),
      evidence: null,
    }),
  );
  assert.ok(isDone, trail(walk));
  // by the clock of the walk
  await database.owner.query(
    'update lead_rectifications set rectified_at = $2 where lead_id = $1 and rectified_at > $2',
    [leadId, iso(now)],
  );
  [walk.email, walk.other] = [other, email];
  person.rectify(now);
}

async function grant(walk: Walk): Promise<void> {
  const { random, person, now, told } = walk;
  const leadId = await leadIdOf(walk);
  if (!leadId) return;
  const status = pick(random, ['express', 'express', 'implied'] as const);
  const kind = pick(random, ['inquiry', 'purchase'] as const);
  const at = now - pick(random, [0, 0, 1, 40]) * DAY;
  const said = saidIn(walk);
  // express without words is refused before
  const words = status === 'express' ? (said.words ?? 'Write to me.') : said.words;
  told.push(`grant ${status} ${JSON.stringify({ ...said, words, at: iso(at) })}`);
  await inSites(database.app, site, (db) =>
    recordConsent(db, site, leadId, {
      status,
      kind: `implied_${kind}`,
      basis: 'admin',
      occurred_at: iso(at),
      purposes: said.purposes,
      words: words ?? undefined,
      policy_version: said.policy ?? undefined,
      evidence: 'by telephone',
    }),
  );
  person.grant(status, { ...said, words }, at, kind, Date.now());
}

async function purchase({ random, person, email, now, told }: Walk): Promise<void> {
  told.push('purchase');
  await inSites(database.app, site, (db) =>
    storeConversions(db, site, [{ id: uuid(random), kind: 'purchase', email, occurredAt: iso(now) }], () =>
      hashOf(email),
    ),
  );
  person.purchase(now, Date.now());
}

/** A row of a list, as it is read and as the model takes it. */
function rowOf({ random, now }: Walk, email: string) {
  const status = pick(random, [
    'pending',
    'implied',
    'implied',
    'express',
    'express',
    'withdrawn',
  ] as Status[]);
  const claims = status === 'express' || status === 'implied';
  const kind = pick(random, ['inquiry', 'purchase'] as const);
  // whole days back, so that no term ends within the second that this takes
  const back = pick(random, [0, 1, 40, 170, 400, 1000]) * DAY + MINUTE;
  const at = claims || random() < 0.5 ? now - back : null;
  const until = status === 'implied' && random() < 0.3 ? at! + pick(random, [20, 5000]) * DAY : undefined;
  const said = saidIn({ random });
  const words = status === 'express' ? (said.words ?? 'Write to me.') : said.words;
  const isOfAll = random() < 0.5;
  const row = { status, at, kind, until, ...said, words, isOfAll };
  const parsed = importedRow(undefined).parse({
    email,
    consentStatus: status,
    consentKind: status === 'implied' ? `implied_${kind}` : undefined,
    words: words ?? undefined,
    policyVersion: said.policy ?? undefined,
    purposes: status === 'withdrawn' && isOfAll ? undefined : said.purposes.join(','),
    // read as files are: days of the past
    consentAt: claims || at !== null ? iso(Date.now() - DAY) : undefined,
    evidence: 'folder 7',
  });
  return {
    row,
    says: JSON.stringify({ ...row, at: at && iso(at) }),
    imported: {
      ...parsed,
      consentAt: at === null ? undefined : iso(at),
      expiresAt: until === undefined ? undefined : iso(until),
      capturedAt: at === null ? iso(now) : undefined,
    },
  };
}

async function importOf(db: Db, email: string, imported: ImportedRow, now: number): Promise<string> {
  await db.query('select pg_advisory_xact_lock(hashtextextended($1, 7))', [`${site} ${email}`]);
  const whose = { address: readAddress(email)!, emailHash: hashOf(email), attributes: null };
  return (await importRow(db, site, imported, whose, new Date(now))).outcome;
}

async function carryIn(walk: Walk): Promise<void> {
  const { person, email, now, told } = walk;
  const { row, says, imported } = rowOf(walk, email);
  told.push(`import ${says}`);
  const outcome = await inSites(database.app, site, (db) => importOf(db, email, imported, now));
  assert.equal(outcome === 'refused', person.carryIn(row, now, Date.now()), trail(walk));
}

/** A list that names the other address, which may be their earlier one: what it would make of it, and then taken back. */
async function carryInElsewhere(walk: Walk): Promise<void> {
  const { person, other, now, told } = walk;
  const { row, says, imported } = rowOf(walk, other);
  told.push(`import of the other address ${says}`);
  const newcomer = person.newcomer();
  const isRefused = newcomer.carryIn(row, now, Date.now());
  const taken = new Error('taken back');
  await assert.rejects(
    inSites(database.app, site, async (db) => {
      const outcome = await importOf(db, other, imported, now);
      assert.equal(outcome === 'refused', isRefused, trail(walk));
      if (!isRefused) {
        const { rows } = await db.query(
          `select p as purpose, coalesce(consent_at(s.status, s.expires_at, $3), 'pending') as status
           from leads l cross join unnest($4::text[]) as t (p) cross join lateral consent_standing($1, l.lead_id, p) s
           where l.site_id = $1 and l.email_normalized = $2`,
          [site, other, iso(now), PURPOSES],
        );
        assert.deepEqual(
          rows,
          PURPOSES.map((purpose) => ({ purpose, status: newcomer.statusOf(purpose, now) })),
          trail(walk),
        );
      }
      throw taken;
    }),
    (error) => {
      if (error !== taken) throw error;
      return true;
    },
  );
}

async function expire({ person, email, now, told }: Walk): Promise<void> {
  told.push('expiry');
  const { rows } = await database.owner.query(
    'select lead_id from leads where site_id = $1 and email_normalized = $2',
    [site, email],
  );
  if (rows.length === 0) return;
  await inSites(database.app, site, (db) =>
    recordConsent(db, site, rows[0].lead_id, {
      status: 'expired',
      basis: 'expiry',
      occurred_at: iso(now),
      purposes: PURPOSES,
    }),
  );
  person.expire(now);
}

async function erase({ person, email, now, told }: Walk): Promise<void> {
  told.push('erasure');
  await forget({
    siteId: site,
    emailNormalized: email,
    emailHash: hashOf(email),
    again: { leadId: null, at: iso(now) },
  });
  person.erase(now);
}

/** By an address that is nobody's; it may have been theirs. */
async function eraseElsewhere({ person, other, now, told }: Walk): Promise<void> {
  told.push('erasure of the other address');
  await forget({
    siteId: site,
    emailNormalized: other,
    emailHash: hashOf(other),
    again: { leadId: null, at: iso(now) },
  });
  person.eraseElsewhere(now);
}

const EVENTS = [
  ...Array(10).fill(capture),
  ...Array(5).fill(confirm),
  ...Array(5).fill(withdraw),
  ...Array(2).fill(purchase),
  ...Array(4).fill(carryIn),
  ...Array(2).fill(withdrawElsewhere),
  ...Array(3).fill(rectify),
  ...Array(2).fill(grant),
  ...Array(4).fill(carryInElsewhere),
  expire,
  erase,
  eraseElsewhere,
] as ((walk: Walk) => Promise<void>)[];

const trail = ({ told, doubleOptIn }: Walk) =>
  `SEED=${SEED}, double opt-in ${doubleOptIn}:\n${told.join('\n')}`;

async function compare(walk: Walk): Promise<void> {
  const { person, email, now } = walk;
  const { rows } = await database.owner.query(
    `select l.consent_seq as records, consent_at(l.consent_status, l.consent_expires_at, $3) as status, l.lead_id as lead,
       left_at($1, l.lead_id) is null as "mayBeTied",
       (select count(*)::int from lead_identities i where i.lead_id = l.lead_id and i.ended_at is null) as tied,
       (select count(*)::int from outgoing_mails m where m.lead_id = l.lead_id) as mails,
       (select json_object_agg(p, consent_at((consent_standing($1, l.lead_id, p)).status, (consent_standing($1, l.lead_id, p)).expires_at, $3))
        from unnest($4::text[]) as t (p)) as stands
     from leads l where site_id = $1 and email_normalized = $2`,
    [site, email, iso(now), PURPOSES],
  );
  const [seen] = rows;
  assert.equal(seen !== undefined, person.lead !== null, trail(walk));
  if (!seen || !person.lead) return;
  const statuses = (of: (purpose: Purpose) => string | null) =>
    Object.fromEntries(PURPOSES.map((purpose) => [purpose, of(purpose) ?? 'pending']));
  assert.deepEqual(
    {
      ...statuses((purpose) => seen.stands[purpose]),
      lead: seen.status,
      records: seen.records,
      mails: seen.mails,
      mayBeTied: seen.mayBeTied,
    },
    {
      ...statuses((purpose) => person.statusOf(purpose, now)),
      lead: person.statusOf('email', now),
      records: person.lead.records,
      mails: person.lead.mails,
      mayBeTied: person.mayBeTied,
    },
    trail(walk),
  );
  if (!person.mayBeTied) assert.equal(seen.tied, 0, trail(walk));
}

async function walkOnce(number: number): Promise<void> {
  const random = randomFrom(`${SEED} ${number}`);
  const email = `ada-${SEED}-${number}@example.com`.toLowerCase().replaceAll(' ', '-');
  const walk: Walk = {
    person: new Person(),
    email,
    other: `b-${email}`,
    doubleOptIn: random() < 0.5,
    // all of it has happened: what is dated in the future was dated by a wrong clock, and has rules of its own
    now: Math.floor(Date.now()) - (STEPS + 1) * 800 * DAY,
    requests: [],
    told: [],
    random,
  };
  for (let step = 0; step < STEPS; step += 1) {
    await pick(random, EVENTS)(walk);
    const pause = pick(random, [
      1,
      MINUTE,
      3 * MINUTE,
      11 * MINUTE,
      5 * 60 * MINUTE,
      DAY,
      15 * DAY,
      100 * DAY,
      200 * DAY,
      800 * DAY,
    ]);
    walk.now += pause;
    walk.told.push(`  … ${pause / MINUTE} minutes`);
    await compare(walk);
  }
  const { rows } = await database.owner.query(
    'select lead_id as "leadId", consent_seq as seq, encode(consent_head, \'hex\') as hash from leads where site_id = $1 and email_normalized = $2',
    [site, walk.email],
  );
  if (!rows[0]) return;
  const records = await inSites(database.app, site, (db) => listConsentRecords(db, site, rows[0].leadId));
  assert.deepEqual(chainFaults(records, rows[0]), [], trail(walk));
}

test(`${WALKS} random walks through captures, confirmations, imports, purchases, grants, withdrawals, corrections, expiries and erasures, by earlier addresses too, stand where the contract says (SEED=${SEED})`, async () => {
  let next = 0;
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      while (next < WALKS) {
        next += 1;
        await walkOnce(next);
      }
    }),
  );
});

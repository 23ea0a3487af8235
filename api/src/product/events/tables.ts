// What is kept of visits: visitors, sessions, events, and the ledger of what was refused.
import type { Tables } from '../../ground/tables.ts';

/** What our own script and the contract call what happens. */
export const KNOWN_TYPES = [
  'page_view',
  'cta_click',
  'form_start',
  'form_submit',
  'email_verify',
  'engagement',
  'web_vitals',
  'signup',
  'activation',
  'purchase',
];
/** Whether an erasure leaves an event its type: one of ours says nothing about anybody. */
export const isKnownType = (type: string): boolean => KNOWN_TYPES.includes(type);
/** What stands in its place of any other, and in that of each page. */
export const ERASED_TYPE = 'erased';
export const ERASED_PATH = '/(erased)';

const events = { for: { days: 'EVENT_RETENTION_DAYS' } } as const;
const numbers = {
  for: { months: 'ROLLUP_RETENTION_MONTHS' },
  since: 'day',
  why: 'older than rollups are kept',
} as const;

/** SQL: whether a form or an admin ties a visitor to a lead; guesses end with the events they rest on. */
const TIED = `exists (select from lead_identities i where i.site_id = target.site_id and i.visitor_id = target.visitor_id
          and i.link_source <> 'same_ip_ua_window' and i.unlinked_at is null)`;

export const eventTables: Tables = {
  day_salts: {
    holds: "the key of a day's visitors without an id of their own; never in a backup",
    columns: { salt: 'digest' },
    kept: { job: 'day_salts', why: '48 hours: after that nobody can tell who they were' },
  },
  visitors: {
    holds: 'a browser, known by a derived id; hashes of its address and user agent',
    whose: 'visitor',
    moved: true,
    columns: { ip_hash: { scrub: 'null' }, ua_hash: { scrub: 'null' }, bot_verdict: 'bounded' },
    kept: [
      {
        ...events,
        since: 'last_seen_at',
        why: 'nothing of theirs is left',
        where: `not ${TIED} and not exists (select from sessions s where s.site_id = target.site_id and s.visitor_id = target.visitor_id
          and s.last_activity_at >= $1)`,
      },
      {
        ...events,
        since: 'last_seen_at',
        why: 'the hashes of who is tied to a lead, which say when the lead was first seen',
        where: `(ip_hash is not null or ua_hash is not null) and ${TIED}`,
        forgets: 'ip_hash = null, ua_hash = null',
        counted: 'visitorHashes',
      },
    ],
  },
  sessions: {
    holds: 'a visit: when, from where, on what device',
    whose: 'visitor',
    moved: true,
    columns: {
      landing_path: { scrub: `'${ERASED_PATH}'`, found: true },
      referrer: { scrub: 'null', found: true },
      source: 'bounded',
      utm: { scrub: 'null', found: true },
      device_type: 'bounded',
      browser: { scrub: 'null' },
      os: { scrub: 'null' },
      country: 'bounded',
    },
    kept: { ...events, since: 'last_activity_at', why: 'their events are gone' },
  },
  events: {
    holds: 'something a visitor did at one moment',
    bound: 'a tenth of the free disk a day (`EVENTS_MB_PER_DAY`)',
    whose: 'visitor',
    moved: true,
    columns: {
      event_type: {
        scrub: `case when event_type in (${KNOWN_TYPES.map((type) => `'${type}'`).join(', ')}) then event_type else '${ERASED_TYPE}' end`,
      },
      path: { scrub: `'${ERASED_PATH}'`, found: true },
      referrer: { scrub: 'null', found: true },
      source: 'bounded',
      utm: { scrub: 'null', found: true },
      bot_reason: 'bounded',
      props: {
        // what its form is for stays: an erasure changes no number
        scrub: `case when props ? 'formName' then jsonb_strip_nulls(jsonb_build_object('formName', '(erased)',
          'role', case when props ->> 'role' = 'lead' then 'lead' end)) end`,
        found: true,
      },
      device_type: 'bounded',
      browser: { scrub: 'null' },
      os: { scrub: 'null' },
      country: 'bounded',
    },
    kept: {
      ...events,
      since: 'occurred_at',
      why: 'raw events; their days are sealed first',
      by: 'sealed days',
      told: 'eventDays',
    },
  },
  event_keys: {
    holds: 'the id of an event, so that it is not counted twice',
    whose: 'visitor',
    moved: true,
    columns: {},
    kept: {
      ...events,
      since: 'occurred_at',
      why: 'their events are gone; nothing that old is taken as a duplicate any more',
    },
  },
  recent_bodies: {
    holds: 'the digest of an event without id or time, for half a minute',
    columns: {},
    kept: { job: 'recent_bodies', why: 'two minutes: digests of bodies only matter for 30 s' },
  },
  ingest_ledger: {
    holds: 'how many events of a day were received, stored, refused and why',
    columns: { outcome: 'bounded', reason: 'bounded' },
    kept: numbers,
  },
  ingest_latencies: { holds: 'how long writes of a day took, by bucket', columns: {}, kept: numbers },
  page_origins: {
    holds: 'the address of a website whose pages sent to a site that does not list it; how often, when last',
    bound: '200 a site',
    columns: { origin: 'bounded' }, // scheme and host of a page, at most some hundred a site
    kept: {
      for: { days: 'REJECTION_RETENTION_DAYS' },
      since: 'last_seen_at',
      why: 'not seen any more',
    },
  },
  rejections: {
    holds: 'a sample of what was refused: which field, which rule, which website; never what was sent',
    bound: '3 a client and minute, 2000 a site and day, 20 000 a day',
    columns: { route: 'bounded', reason: 'bounded', details: 'bounded' },
    kept: {
      for: { days: 'REJECTION_RETENTION_DAYS' },
      since: 'received_at',
      why: 'samples for looking into; the ledger keeps the counts',
      told: 'rejectionDays',
    },
  },
};

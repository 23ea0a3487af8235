// What every column that can hold words, JSON or bytes means for a person who wants to be forgotten. The erasure is made
// from this page (forget.ts); a test fails for a column that is not on it.

/**
 * goes       its row is deleted with the lead, the visitor or the address (`by` of its table)
 * scrub …    its row stays for counting; the value of the person's own rows becomes this SQL expression
 * found …    and wherever else the address itself is found in it, the address is taken out
 * digest     a hash or a random key that names nobody by itself
 * bounded    one of a few words of ours
 * operator   written by the site's people about the site
 * counted    sums over visitors; made anew from the changed rows, whose days are marked dirty
 */
export type Column =
  | 'goes'
  | 'goes, found'
  | 'found'
  | 'digest'
  | 'bounded'
  | 'operator'
  | 'counted'
  | { scrub: string; found?: true };

export interface Table {
  /** Which rows are the person's; absent: none are. */
  by?: 'lead' | 'visitor' | 'lead or visitor' | 'lead, visitor or hash' | 'address';
  columns: Record<string, Column>;
}

const KNOWN_TYPES = [
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

export const TABLES: Record<string, Table> = {
  // Made from the tables below, and so they go after them (forget.ts goes backwards): every deletion leaves marks, and
  // whoever refreshes facts takes the lead first.
  dirty_leads: { by: 'lead or visitor', columns: {} },
  lead_facts: {
    by: 'lead',
    columns: {
      source: 'goes',
      utm_source: 'goes, found',
      utm_medium: 'goes, found',
      campaign: 'goes, found',
      domain_class: 'goes',
    },
  },

  // what the person gave us
  leads: {
    by: 'lead',
    columns: {
      email: 'goes',
      email_normalized: 'goes',
      email_domain: 'goes',
      domain_class: 'goes',
      first_source: 'goes',
      first_utm: 'goes, found',
      first_path: 'goes, found',
      first_referrer: 'goes, found',
      first_form_name: 'goes, found',
      source_channel: 'goes, found',
      consent_status: 'goes',
      consent_head: 'goes',
      unsubscribe_key: 'goes',
    },
  },
  lead_identities: { by: 'lead', columns: { link_source: 'goes' } },
  submissions: {
    by: 'lead',
    columns: {
      form_name: 'goes, found',
      path: 'goes, found',
      source_channel: 'goes, found',
      payload: 'goes, found',
    },
  },
  opt_ins: { by: 'lead', columns: { token: 'goes', request: 'goes' } },
  outgoing_mails: { by: 'lead', columns: { kind: 'goes', last_error: 'goes' } },
  quarantine: {
    by: 'address',
    columns: { email_normalized: 'goes', capture: 'goes', reasons: 'goes', decision: 'goes' },
  },
  consent_details: {
    by: 'lead',
    columns: {
      salt: 'goes',
      email_normalized: 'goes',
      language: 'goes',
      policy_version: 'goes',
      purposes: 'goes',
      page: 'goes',
      form_name: 'goes',
      source: 'goes',
      evidence: 'goes',
      ip_hash: 'goes',
      ua_hash: 'goes',
    },
  },
  conversions: {
    by: 'lead, visitor or hash',
    columns: { conversion_id: 'goes', kind: 'goes', origin: 'goes', currency: 'goes', email_hash: 'goes' },
  },

  // what the person's browser did
  visitors: { by: 'visitor', columns: { ip_hash: { scrub: 'null' }, ua_hash: { scrub: 'null' } } },
  sessions: {
    by: 'visitor',
    columns: {
      landing_path: { scrub: "'/(erased)'", found: true },
      referrer: { scrub: 'null', found: true },
      source: 'bounded',
      utm: { scrub: 'null', found: true },
      device_type: 'bounded',
      browser: { scrub: 'null' },
      os: { scrub: 'null' },
      country: 'bounded',
    },
  },
  events: {
    by: 'visitor',
    columns: {
      event_type: {
        scrub: `case when event_type in (${KNOWN_TYPES.map((type) => `'${type}'`).join(', ')}) then event_type else 'erased' end`,
      },
      path: { scrub: "'/(erased)'", found: true },
      referrer: { scrub: 'null', found: true },
      source: 'bounded',
      utm: { scrub: 'null', found: true },
      bot_reason: 'bounded',
      props: {
        scrub: 'case when props ? \'formName\' then \'{"formName": "(erased)"}\'::jsonb end',
        found: true,
      },
    },
  },
  visitor_days: { by: 'visitor', columns: {} },
  bot_verdicts: { by: 'visitor', columns: { bot_reason: 'bounded', judged_by: 'bounded' } },
  event_keys: { by: 'visitor', columns: {} },

  // proof, and what outlives the person
  consent_records: {
    columns: {
      action: 'bounded',
      status: 'bounded',
      kind: 'bounded',
      basis: 'bounded',
      text_hash: 'digest',
      details_digest: 'digest',
      previous_hash: 'digest',
      hash: 'digest',
    },
  },
  // words sent along by a form go when nobody else agreed to them (forget.ts)
  consent_texts: {
    columns: {
      name: 'operator',
      language: 'operator',
      words: 'operator',
      words_hash: 'digest',
      origin: 'bounded',
    },
  },
  withdrawal_requests: { columns: { email_hash: 'digest' } },
  erasures: { columns: { email_hash: 'digest', unsubscribe_hash: 'digest', erased: 'counted' } },

  // the site's own
  sites: {
    columns: {
      key: 'operator',
      name: 'operator',
      domain: 'operator',
      origins: 'operator',
      settings: 'operator',
    },
  },
  breaches: {
    columns: {
      title: 'found',
      description: 'found',
      data_kinds: 'operator',
      harm: 'found',
      measures: 'found',
    },
  },
  audit_log: { columns: { actor: 'operator', action: 'bounded', target: 'digest', details: 'operator' } },
  ad_spend: { columns: { source: 'operator', campaign: 'operator', currency: 'bounded' } },

  // counts and the machine's own notes: fields and rules, never what was sent
  ingest_ledger: { columns: { outcome: 'bounded', reason: 'bounded' } },
  rejections: { columns: { route: 'bounded', reason: 'bounded', details: 'bounded' } },
  dirty_days: { columns: { cause: 'bounded' } },
  daily_metric_rollups: {
    columns: { bots_by_reason: 'counted', sessions_by_source: 'counted', vitals: 'counted' },
  },
  daily_ingest_rollups: { columns: { rejected_by_reason: 'counted', latencies: 'counted' } },
  daily_breakdowns: { columns: { kind: 'counted', name: 'counted', detail: 'counted' } },
  job_runs: {
    columns: {
      job: 'bounded',
      trigger: 'bounded',
      state: 'bounded',
      options: 'operator',
      result: 'counted',
      error: 'bounded',
    },
  },
  schema_migrations: { columns: { name: 'bounded', sha256: 'digest' } },
};

/** Tables whose rows are moved to a nameless visitor instead of being deleted. */
export const MOVED = new Set([
  'visitors',
  'sessions',
  'events',
  'visitor_days',
  'bot_verdicts',
  'event_keys',
]);

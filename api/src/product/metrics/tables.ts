// What is kept for the numbers: rollups, and what makes them quick and right.
import type { Tables } from '../../ground/tables.ts';

const numbers = {
  for: { months: 'ROLLUP_RETENTION_MONTHS' },
  since: 'day',
  why: 'older than rollups are kept',
} as const;

const OF_NO_LEAD =
  'not exists (select from leads l where l.site_id = target.site_id and l.lead_id = target.lead_id)';

export const metricTables: Tables = {
  dirty_leads: {
    holds: 'a lead whose facts are to be gathered anew',
    whose: 'lead or visitor',
    derived: true,
    columns: {},
    kept: { job: 'rollup', why: 'until they are gathered, within minutes' },
  },
  lead_facts: {
    holds: 'what reports say of a lead, gathered from the other tables',
    whose: 'lead',
    derived: true,
    columns: {
      source: 'goes',
      utm_source: 'goes, found',
      utm_medium: 'goes, found',
      campaign: 'goes, found',
      domain_class: 'goes',
    },
    outlives: {},
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      {
        ...numbers,
        why: 'of a lead that ended, under a random id: older than rollups are kept',
        where: OF_NO_LEAD,
      },
    ],
  },
  lead_touches: {
    holds: 'the visits a lead came by, for what it is credited to',
    whose: 'lead',
    derived: true,
    columns: {
      source: 'goes',
      utm_source: 'goes, found',
      utm_medium: 'goes, found',
      campaign: 'goes, found',
    },
    outlives: { set: 'visitor_id = gen_random_uuid(), session_id = gen_random_uuid()' },
    kept: [
      { with: 'leads', why: 'a purge of visits changes no number' },
      {
        for: numbers.for,
        since:
          '(select f.day from lead_facts f where f.site_id = target.site_id and f.lead_id = target.lead_id)',
        why: 'with the facts of a lead that ended',
        where: OF_NO_LEAD,
      },
    ],
  },
  lead_credits: {
    holds: 'what a lead, its signup and what it bought are credited to',
    whose: 'lead',
    derived: true,
    columns: { kind: 'goes', source: 'goes', campaign: 'goes, found', currency: 'goes' },
    outlives: {},
    kept: [
      { with: 'leads', why: 'a purge of visits changes no number' },
      {
        for: numbers.for,
        since:
          '(select f.day from lead_facts f where f.site_id = target.site_id and f.lead_id = target.lead_id)',
        why: 'with the facts of a lead that ended',
        where: OF_NO_LEAD,
      },
    ],
  },
  dirty_days: {
    holds: 'a day that is to be counted again',
    columns: { cause: 'bounded' },
    kept: { job: 'rollup', why: 'until it is counted, within minutes' },
  },
  visit_facts: {
    holds: "what a day's numbers count of a visit",
    whose: 'visitor',
    moved: true,
    columns: {
      source: 'bounded',
      referrer: { scrub: 'null', found: true },
      campaign: { scrub: 'null', found: true },
      utm_source: { scrub: 'null', found: true },
      utm_medium: { scrub: 'null', found: true },
      utm_term: { scrub: 'null', found: true },
      utm_content: { scrub: 'null', found: true },
      device_type: 'bounded',
      browser: { scrub: 'null' },
      os: { scrub: 'null' },
      country: 'bounded',
      landing: { scrub: "case when landing is not null then '/(erased)' end", found: true },
      leaving: { scrub: "case when leaving is not null then '/(erased)' end", found: true },
      kinds: { scrub: "'{}'", found: true },
      names: { scrub: "'{}'", found: true },
    },
    kept: { job: 'rollup', why: 'three days: until nothing of their day is expected any more' },
  },
  session_days: {
    holds: 'the numbers of a visit on a day that changes no more, for filtered numbers',
    whose: 'visitor',
    moved: true,
    columns: {},
    kept: {
      for: { days: 'EVENT_RETENTION_DAYS' },
      since: 'day',
      why: 'as long as the raw rows they are made of',
    },
  },
  visit_origins: {
    holds: 'what visits of those days came by and with, each combination once',
    columns: {
      source: 'bounded',
      referrer: 'found',
      campaign: 'found',
      utm_source: 'found',
      utm_medium: 'found',
      utm_term: 'found',
      utm_content: 'found',
      device_type: 'bounded',
      browser: 'bounded',
      os: 'bounded',
      country: 'bounded',
    },
    kept: {
      for: { days: 'EVENT_RETENTION_DAYS' },
      since: 'last_day',
      why: 'with the last visit that came so',
    },
  },
  visit_paths: {
    holds: 'paths that those visits saw, each once',
    columns: { path: 'found' },
    kept: {
      for: { days: 'EVENT_RETENTION_DAYS' },
      since: 'last_day',
      why: 'with the last visit that saw it',
    },
  },
  open_names: {
    holds: 'the sums of those visits by name',
    bound: '5000 names of each kind a site and day, the others together; 1000 values of 100 properties',
    columns: { kind: 'counted', name: 'counted, found', detail: 'counted, found' },
    kept: { job: 'rollup', why: 'three days: with the visits they sum' },
  },
  open_kinds: {
    holds: 'the sums of those visits by kind of name',
    columns: { kind: 'counted' },
    kept: { job: 'rollup', why: 'three days: with the visits they sum' },
  },
  full_days: {
    holds: 'that a day was sent more names, properties or conversions than are kept apart',
    bound: 'fifteen a site and day',
    columns: { what: 'bounded' },
    kept: [
      numbers,
      {
        for: { days: 'EVENT_RETENTION_DAYS' },
        since: 'day',
        where: "what <> 'conversions'",
        why: 'of names: their day is sealed, and of each kind the first hundred stay',
        by: 'full days',
      },
    ],
  },
  rollup_state: {
    holds: 'when a day was counted, in which zone, and whether it is sealed',
    columns: { time_zone: 'operator' },
    kept: { ever: 'a line a day' },
  },
  daily_metric_rollups: {
    holds: 'the numbers of a day',
    columns: { bots_by_reason: 'counted', sessions_by_source: 'counted', vitals: 'counted' },
    kept: { ...numbers, told: 'rollupMonths' },
  },
  daily_ingest_rollups: {
    holds: 'what was received and refused on a day',
    columns: { rejected_by_reason: 'counted', latencies: 'counted' },
    kept: numbers,
  },
  daily_breakdowns: {
    holds: 'the numbers of a day by page, source, campaign, device, …',
    bound:
      '1000 names of each kind a site and day, of 256 KB together, and the others in one; 200 values of 20 properties; a hundred once the day is sealed, where more were sent than are kept apart',
    columns: { kind: 'counted', name: 'counted, found', detail: 'counted, found' },
    kept: numbers,
  },
  visitor_returns: {
    holds: 'how many visitors of a day were there before, and when',
    columns: {},
    kept: numbers,
  },
  visitor_days: {
    holds: 'that a visitor was there on a day',
    whose: 'visitor',
    moved: true,
    columns: {},
    kept: { for: { days: 'EVENT_RETENTION_DAYS' }, since: 'day', why: 'their days are sealed and counted' },
  },
  // after what a rollup writes before it takes the marks away: an erasure locks in that order too
  dirty_visits: {
    holds: 'visitors of whom something changed, to be counted again',
    whose: 'visitor',
    moved: 'in visitor_ids',
    columns: {},
    kept: { job: 'rollup', why: 'until they are counted, within minutes' },
  },
};

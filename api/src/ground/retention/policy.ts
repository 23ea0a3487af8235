// What is kept how long, on one page (contract §7). Each step forgets a bounded bite and is called again until it is done.
import type { Config } from '../../config.ts';

export interface Policy {
  eventDays: number;
  rollupMonths: number;
  rejectionDays: number;
}

export const policyOf = (config: Config): Policy => ({
  eventDays: config.EVENT_RETENTION_DAYS,
  rollupMonths: config.ROLLUP_RETENTION_MONTHS,
  rejectionDays: config.REJECTION_RETENTION_DAYS,
});

export interface Step {
  /** Table, and what of it goes. */
  table: string;
  why: string;
  /** $1: the first UTC day that is kept of raw rows, $2: of rollups, $3: of rejections. */
  where: string;
}

const dayStart = (parameter: string) => `(${parameter}::date)::timestamp at time zone 'UTC'`;

/** In this order: what stands on something goes before it. */
export const STEPS: Step[] = [
  {
    table: 'sessions',
    why: 'their events are gone',
    where: `last_activity_at < ${dayStart('$1')}`,
  },
  {
    table: 'event_keys',
    why: 'their events are gone; nothing that old is taken as a duplicate any more',
    where: `occurred_at < ${dayStart('$1')}`,
  },
  { table: 'visitor_days', why: 'their days are sealed and counted', where: 'day < $1::date' },
  {
    table: 'visitors',
    why: 'nothing of theirs is left',
    where: `last_seen_at < ${dayStart('$1')}
      and not exists (select from lead_identities i where i.site_id = target.site_id and i.visitor_id = target.visitor_id)
      and not exists (select from sessions s where s.site_id = target.site_id and s.visitor_id = target.visitor_id
        and s.last_activity_at >= ${dayStart('$1')})`,
  },
  {
    table: 'rejections',
    why: 'samples for looking into; the ledger keeps the counts',
    where: `received_at < ${dayStart('$3')}`,
  },
  { table: 'daily_breakdowns', why: 'older than rollups are kept', where: 'day < $2::date' },
  { table: 'visitor_returns', why: 'older than rollups are kept', where: 'day < $2::date' },
  { table: 'daily_metric_rollups', why: 'older than rollups are kept', where: 'day < $2::date' },
  { table: 'daily_ingest_rollups', why: 'older than rollups are kept', where: 'day < $2::date' },
  { table: 'ingest_latencies', why: 'older than rollups are kept', where: 'day < $2::date' },
  { table: 'ingest_ledger', why: 'older than rollups are kept', where: 'day < $2::date' },
  {
    table: 'conversions',
    why: 'older than rollups are kept, and nobody has them',
    where: `occurred_at < ${dayStart('$2')} and not exists (select from leads l where l.site_id = target.site_id and l.lead_id = target.lead_id)`,
  },
  {
    table: 'bot_verdicts',
    why: 'the judged visitor is gone',
    where: `judged_at < ${dayStart('$1')}
      and not exists (select from visitors v where v.site_id = target.site_id and v.visitor_id = target.visitor_id)`,
  },
];

// The SQL door of reports by mail. Inside inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Language } from '../../ground/words/language.ts';
import type { Vault } from '../accounts/vault.ts';
import { tellAddresses } from './addresses.ts';
import { AS_RECIPIENT } from './recipients.ts';
import type { MailReport } from './schema.ts';

// The newest moment a report should have left at, and the days it tells of: seven, or a month of the calendar.
const slotAt = (now: string) => `
  cross join lateral (select (${now} at time zone r.time_zone) - make_interval(hours => r.hour::int) as there) local
  cross join lateral (select case when r.every = 'week' then there::date - (extract(isodow from there)::int - r.weekday + 7) % 7
    else date_trunc('month', there)::date end as leaves_on) slot
  cross join lateral (select (leaves_on + make_interval(hours => r.hour::int)) at time zone r.time_zone as leaves_at, leaves_on - 1 as last_day,
    case when r.every = 'week' then leaves_on - 7 else (leaves_on - interval '1 month')::date end as first_day) told`;

export interface ReportRow {
  siteId: string;
  every: 'week' | 'month';
  weekday: number | null;
  hour: number;
  timezone: string;
  language: Language;
  madeBy: string;
}

/** Its first copy leaves at the next slot, not at the one that has passed. */
export async function insertReport(db: Db, report: ReportRow, recipientIds: string[]): Promise<string> {
  const { rows } = await db.query<{ report_id: string }>(
    `with r as (
       insert into mail_reports (site_id, every, weekday, hour, time_zone, language, made_by)
       values ($1, $2, $3, $4, $5, $6, $7) returning *
     ), copies as (
       insert into mail_report_copies (site_id, report_id, recipient_id, told_through)
       select r.site_id, r.report_id, recipient_id, last_day from r ${slotAt('now()')} cross join unnest($8::uuid[]) as chosen (recipient_id)
     )
     select report_id from r`,
    [
      report.siteId,
      report.every,
      report.weekday,
      report.hour,
      report.timezone,
      report.language,
      report.madeBy,
      recipientIds,
    ],
  );
  return rows[0]!.report_id;
}

export async function countReports(db: Db, siteId: string): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    'select count(*)::int as n from mail_reports where site_id = $1',
    [siteId],
  );
  return rows[0]!.n;
}

/** Inside inSiteWithAddresses. reportId  null: all of the site */
export async function findReports(
  db: Db,
  vault: Vault | null,
  siteId: string,
  reportId: string | null,
): Promise<MailReport[]> {
  const { rows } = await db.query<MailReport>(
    `select report_id as "reportId", site_id as "siteId", every, weekday, hour, time_zone as timezone, language, made_by as "madeBy",
       instant_text(created_at) as "createdAt", coalesce((
         select json_agg(json_build_object('recipient', ${AS_RECIPIENT}, 'toldThrough', c.told_through, 'sentAt', instant_text(c.sent_at),
           'lastError', c.last_error) order by c.recipient_id)
         from mail_report_copies c join mail_recipients p using (site_id, recipient_id)
         where c.site_id = r.site_id and c.report_id = r.report_id), '[]') as recipients
     from mail_reports r where site_id = $1 and ($2::uuid is null or report_id = $2) order by report_id`,
    [siteId, reportId],
  );
  const recipients = rows.flatMap((report) => report.recipients.map(({ recipient }) => recipient));
  await tellAddresses(db, vault, recipients);
  return rows;
}

export async function deleteReport(db: Db, siteId: string, reportId: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from mail_reports where site_id = $1 and report_id = $2', [
    siteId,
    reportId,
  ]);
  return rowCount === 1;
}

export interface DueCopy {
  site_id: string;
  report_id: string;
  recipient_id: string;
  every: 'week' | 'month';
  language: Language;
  first_day: string;
  last_day: string;
  link_key: string;
  attempts: number;
}

/**
 * Copies that are due now, for ten minutes in one hand. A report waits until its days are over at the site and counted,
 * for a day at most; then it leaves and says what is not counted.
 */
export async function claimCopies(db: Db, now: Date, limit: number): Promise<DueCopy[]> {
  const { rows } = await db.query<DueCopy>(
    `with due as (
       select c.site_id, c.report_id, c.recipient_id, r.every, r.language, first_day::text, last_day::text, p.link_key
       from mail_reports r ${slotAt('$1::timestamptz')}
       join mail_report_copies c using (site_id, report_id) join mail_recipients p using (site_id, recipient_id)
       where c.told_through < last_day and leaves_at <= $1 and c.next_attempt_at <= $1 and p.confirmed_at is not null and p.left_at is null
         and (leaves_at < $1::timestamptz - interval '24 hours' or (site_day(r.site_id, $1) > last_day
           and exists (select from rollup_state s where s.site_id = r.site_id and s.day >= last_day)
           and not exists (select from rollup_state s where s.site_id = r.site_id and s.day between first_day and last_day
             and s.sealed_at is null and s.rolled_up_at < s.ends_at)
           and not exists (select from dirty_days d where d.site_id = r.site_id and d.day between first_day and last_day)
           and not exists (select from dirty_visits d where d.site_id = r.site_id and d.since < site_day_starts(r.site_id, last_day + 1)
             and d.until >= site_day_starts(r.site_id, first_day))))
       order by c.next_attempt_at, c.report_id limit $2 for update of c skip locked
     )
     update mail_report_copies c set attempts = c.attempts + 1, next_attempt_at = $1::timestamptz + interval '10 minutes'
     from due where c.site_id = due.site_id and c.report_id = due.report_id and c.recipient_id = due.recipient_id
     returning due.*, c.attempts`,
    [now, limit],
  );
  return rows;
}

/** error  null: it was taken. nextMinutes  when it is tried again; null: never, its days count as told */
export async function noteCopy(
  db: Db,
  { site_id, report_id, recipient_id, last_day }: DueCopy,
  error: string | null,
  nextMinutes: number | null,
): Promise<void> {
  await db.query(
    `update mail_report_copies set last_error = $4, sent_at = case when $4::text is null then now() else sent_at end,
       told_through = case when $5::int is null then $6::date else told_through end, attempts = case when $5::int is null then 0 else attempts end,
       next_attempt_at = case when $5::int is null then next_attempt_at else now() + make_interval(mins => $5) end
     where site_id = $1 and report_id = $2 and recipient_id = $3`,
    [site_id, report_id, recipient_id, error, nextMinutes, last_day],
  );
}

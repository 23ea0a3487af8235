// What belongs to a lead, list by list: a page of a timeline holds the newest of each, an export all of it, in pieces.
import { type ListOf, readPiece } from '../../ground/db/pieces.ts';
import type { Db } from '../../ground/db/pool.ts';
import { consentRecordList } from '../consent/record.ts';
import type { LeadRow, Timeline } from './shapes.ts';

/** $2: the lead */
const identityList: ListOf = {
  table: 'lead_identities',
  where: 't.site_id = $1 and t.lead_id = $2',
  columns: `t.identity_id as "identityId", t.visitor_id as "visitorId", t.link_source as "linkSource",
    round(t.confidence::numeric, 4)::float as confidence, instant_text(t.linked_at) as "linkedAt", instant_text(t.unlinked_at) as "unlinkedAt"`,
  key: [
    ['linked_at', 'timestamptz'],
    ['identity_id', 'uuid'],
  ],
  newestFirst: false,
};

/** Browsers of a lead: on the evidence of a form or an admin, never of an address alone. $2: the lead */
const BROWSERS = `select i.visitor_id from lead_identities i
  where i.site_id = $1 and i.lead_id = $2 and i.unlinked_at is null and i.link_source <> 'same_ip_ua_window'`;
/**
 * SQL: whether a visitor is another's too: tied to another lead on the evidence of a form or an admin, or another sent a form
 * from it that ties to nothing (under GPC, or as the site has it). What was done there may be theirs.
 *
 * visitor  SQL of its id. $1: the site
 * lead     SQL of the lead that is meant; may be null: every lead is another
 */
export const isAnothers = (visitor: string, lead: string): string =>
  `(exists (select from lead_identities o where o.site_id = $1 and o.visitor_id = ${visitor}
    and o.lead_id is distinct from ${lead} and o.unlinked_at is null and o.link_source <> 'same_ip_ua_window')
  or exists (select from events e join submissions s on s.site_id = $1 and s.event_id = e.event_id
    where e.site_id = $1 and e.visitor_id = ${visitor} and e.event_type = 'form_submit' and s.lead_id is distinct from ${lead}))`;
const THEIRS = `${BROWSERS} and not ${isAnothers('i.visitor_id', '$2')}`;
/** Until when what such a browser did joins the lead. */
const ENDED_AT = `(select case when bool_or(i.ended_at is null) then 'infinity' else max(i.ended_at) end from lead_identities i
  where i.site_id = $1 and i.lead_id = $2 and i.visitor_id = t.visitor_id and i.unlinked_at is null and i.link_source <> 'same_ip_ua_window')`;
/** Events of their own forms, in a shared browser too: of the table t. $2: the lead */
const OF_OWN_FORMS = `(t.visitor_id, t.occurred_at, t.event_id) in (
  select k.visitor_id, k.occurred_at, k.event_id from submissions s join event_keys k on k.site_id = s.site_id and k.event_id = s.event_id
  where s.site_id = $1 and s.lead_id = $2)`;

const session: ListOf = {
  table: 'sessions',
  where: `t.site_id = $1 and t.visitor_id = any (array(${THEIRS})) and t.started_at <= ${ENDED_AT} and not t.privacy_signal`,
  columns: `t.session_id as "sessionId", t.visitor_id as "visitorId", instant_text(t.started_at) as "startedAt",
    instant_text(t.last_activity_at) as "lastActivityAt", t.landing_path as "landingPath", t.referrer, t.source, t.utm,
    t.device_type as "deviceType", t.browser, t.os, t.country`,
  key: [
    ['started_at', 'timestamptz'],
    ['session_id', 'uuid'],
  ],
  newestFirst: true,
};

const event: ListOf = {
  table: 'events',
  // found by the browsers along an index; which of a shared one's they are is looked at then
  where: `t.site_id = $1 and t.visitor_id = any (array(${BROWSERS})) and (t.visitor_id = any (array(${THEIRS})) or ${OF_OWN_FORMS})
    and t.occurred_at <= ${ENDED_AT} and not t.privacy_signal`,
  columns: `t.event_id as "eventId", t.visitor_id as "visitorId", t.session_id as "sessionId", t.event_type as "eventType", t.path,
    t.referrer, t.utm, t.props, instant_text(t.occurred_at) as "occurredAt", t.bot_reason as "botReason"`,
  key: [
    ['occurred_at', 'timestamptz'],
    ['event_id', 'uuid'],
  ],
  newestFirst: true,
};

/** $2: the lead */
const submissionList: ListOf = {
  table: 'submissions',
  where: 't.site_id = $1 and t.lead_id = $2',
  columns: `t.submission_id as "submissionId", t.event_id as "eventId", t.form_name as "formName", t.path,
    t.source_channel as "sourceChannel", t.payload, instant_text(t.submitted_at) as "submittedAt", t.spam_score as "spamScore"`,
  key: [
    ['submitted_at', 'timestamptz'],
    ['submission_id', 'uuid'],
  ],
  newestFirst: true,
};

/** What became of a lead. $2: the lead */
const conversionList: ListOf = {
  table: 'conversions',
  where: `t.site_id = $1 and (t.lead_id = $2 or (t.visitor_id = any (array(${THEIRS})) and t.occurred_at <= ${ENDED_AT}))`,
  columns: `t.conversion_id as "conversionId", t.kind, t.origin, t.visitor_id as "visitorId", instant_text(t.occurred_at) as "occurredAt",
    t.amount::float8 as amount, t.currency`,
  key: [
    ['occurred_at', 'timestamptz'],
    ['origin', 'text'],
    ['conversion_id', 'text'],
  ],
  newestFirst: true,
};
const OF_TIMELINE = {
  identities: { ...identityList, newestFirst: true },
  sessions: session,
  events: event,
  submissions: submissionList,
  consents: { ...consentRecordList, newestFirst: true },
  conversions: conversionList,
} satisfies Record<Exclude<keyof Timeline, 'cut'>, ListOf>;
const OLDEST_FIRST = new Set(['identities', 'consents']);

// What a page shows of each list. An event has 20 KB at most, so six lists and their texts stay below some 20 MB.
const SHOWN = { rowsMax: 500, bytesMax: 512 * 1024 };

/** Everything that belongs to a lead, of each list the newest, and which lists hold more. Inside inSites. */
export async function timelineOf(db: Db, { siteId, leadId }: LeadRow): Promise<Timeline> {
  const timeline: Record<string, unknown[]> = {};
  const cut: string[] = [];
  for (const [name, list] of Object.entries(OF_TIMELINE)) {
    const { lines, next } = await readPiece(db, list, [siteId, leadId], SHOWN);
    const rows = lines.map((line) => JSON.parse(line));
    timeline[name] = OLDEST_FIRST.has(name) ? rows.reverse() : rows;
    if (next) cut.push(name);
  }
  return { ...timeline, cut } as Timeline;
}

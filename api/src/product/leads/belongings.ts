// What belongs to a lead, list by list: a page of a timeline holds the newest of each, an export all of it, in pieces.
import { type ListOf, readPiece } from '../../ground/db/pieces.ts';
import type { Db } from '../../ground/db/pool.ts';
import { consentRecordList } from '../consent/record.ts';
import type { LeadRow, Timeline } from './shapes.ts';

/** $2: the lead */
export const identityList: ListOf = {
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
const THEIRS = `select i.visitor_id from lead_identities i
  where i.site_id = $1 and i.lead_id = $2 and i.unlinked_at is null and i.link_source <> 'same_ip_ua_window'`;

/** Their browsers, each once. $2: the lead */
export const visitorList: ListOf = {
  table: 'visitors',
  where: `t.site_id = $1 and t.visitor_id = any (array(${THEIRS}))`,
  columns: 't.visitor_id as id',
  key: [['visitor_id', 'uuid']],
  newestFirst: false,
};

const session: ListOf = {
  table: 'sessions',
  where: `t.site_id = $1 and t.visitor_id = any (array(${THEIRS}))`,
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
  where: session.where,
  columns: `t.event_id as "eventId", t.visitor_id as "visitorId", t.session_id as "sessionId", t.event_type as "eventType", t.path,
    t.referrer, t.utm, t.props, instant_text(t.occurred_at) as "occurredAt", t.bot_reason as "botReason"`,
  key: [
    ['occurred_at', 'timestamptz'],
    ['event_id', 'uuid'],
  ],
  newestFirst: true,
};

/** Of one browser, which an index has in this order. $2: the visitor */
const ofVisitor = (list: ListOf): ListOf => ({ ...list, where: 't.site_id = $1 and t.visitor_id = $2' });
export const visitorSessionList = ofVisitor(session);
export const visitorEventList = ofVisitor(event);

/** $2: the lead */
export const submissionList: ListOf = {
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

const conversion: ListOf = {
  table: 'conversions',
  where: `t.site_id = $1 and (t.lead_id = $2 or t.visitor_id = any (array(${THEIRS})))`,
  columns: `t.conversion_id as "conversionId", t.kind, t.origin, t.visitor_id as "visitorId", instant_text(t.occurred_at) as "occurredAt",
    t.amount::float8 as amount, t.currency`,
  key: [
    ['occurred_at', 'timestamptz'],
    ['origin', 'text'],
    ['conversion_id', 'text'],
  ],
  newestFirst: true,
};
/** What became of a lead. $2: the lead */
export const conversionList = conversion;
/** Of an address that is nobody's lead yet. $2: its hash */
export const unclaimedConversionList: ListOf = {
  ...conversion,
  where: 't.site_id = $1 and t.email_hash = $2::bytea',
};

/** Mails to a lead, sent or still waiting. $2: the lead */
export const mailList: ListOf = {
  table: 'outgoing_mails',
  where: 't.site_id = $1 and t.lead_id = $2',
  columns: 't.kind, instant_text(t.queued_at) as "queuedAt", instant_text(t.sent_at) as "sentAt"',
  key: [
    ['queued_at', 'timestamptz'],
    ['mail_id', 'uuid'],
  ],
  newestFirst: false,
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

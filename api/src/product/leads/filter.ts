// Which leads a list is of: what its filter means in SQL, for one purpose.
import { EMAIL } from '../consent/purposes.ts';

export interface LeadFilter {
  /** Part of an address. */
  q?: string | undefined;
  source?: string | undefined;
  /** What for; default: email. */
  purpose?: string | undefined;
  /** For the purpose. */
  consent?: string | undefined;
  domainClass?: string | undefined;
  /** The site's days of the first capture, both inclusive. */
  from?: string | undefined;
  to?: string | undefined;
  /** What a capture was answered with, also of one that was held back and released. */
  submissionId?: string | undefined;
  /** Whom one may write to now, and for the purpose: express, or implied that still runs. */
  mailable?: boolean | undefined;
  /** Without leads that are only to be kept. */
  unrestricted?: boolean | undefined;
  /** Whom one may no longer write to, or not for the purpose, when that became so at or after this moment; an instant. */
  withdrawnSince?: string | undefined;
}

export interface Cursor {
  at: string;
  leadId: string;
}

/** By the clock: implied consent that has run out is expired, whether or not a job has written that down. */
export const STATUS = 'consent_at(consent_status, consent_expires_at, now())';

/** $14: the purpose. That of email stands on the lead's own row; of another, s is the record that decides. */
export const LEADS = `leads l left join lateral (
  select r.status, r.expires_at, r.occurred_at, r.recorded_at from consent_records r left join consent_details d using (site_id, record_id)
  where r.site_id = l.site_id and r.lead_id = l.lead_id and r.action <> 'requested' and purpose_of(r, d.purpose) in ($14, 'all')
  order by r.seq desc limit 1) s on $14 <> '${EMAIL}'`;

const OTHER_STATUS = `coalesce(consent_at(s.status, s.expires_at, now()), 'pending')`;
/** Where the lead stands for the purpose, and since when and until when. */
export const STANDS = `case $14 when '${EMAIL}' then ${STATUS} else ${OTHER_STATUS} end`;
export const STANDS_SINCE = `case when $14 = '${EMAIL}' then case when consent_status <> ${STATUS} then consent_expires_at else consent_at end
  when ${OTHER_STATUS} = 'expired' then coalesce(s.expires_at, s.occurred_at) else s.occurred_at end`;
export const STANDS_UNTIL = `case $14 when '${EMAIL}' then consent_expires_at else s.expires_at end`;

const allows = (status: string): string =>
  `(${status} = 'express' or (${status} = 'implied' and takes_implied($1)))`;
// Another purpose allows no mail by itself.
const IS_MAILABLE = `(${allows(STATUS)} and ($14 = '${EMAIL}' or ${allows(OTHER_STATUS)}) and not restricted)`;

/** When it was written down, not when it was said: what is carried in or replayed today is new to whoever asks since yesterday. */
const ended = (status: string, until: string, recordedAt: string): string =>
  `case when ${status} in ('withdrawn', 'expired') then ${recordedAt}
     when ${status} = 'implied' then case when ${until} <= now() then ${until}
       when not takes_implied($1) then (select implied_ended_at from sites where site_id = $1) end end`;
const EMAIL_RECORDED = `(select max(r.recorded_at) from consent_records r
  where r.site_id = l.site_id and r.lead_id = l.lead_id and r.action <> 'requested' and purpose_of(r, null) in ('email', 'all'))`;
/** Since when one may no longer write to the lead, or not for the purpose, by whatever came last; null: one may, or never might. */
export const ENDED_AT = `greatest(${ended('consent_status', 'consent_expires_at', EMAIL_RECORDED)},
  ${ended('s.status', 's.expires_at', 's.recorded_at')}, restricted_at)`;

/** For the values of valuesOf. */
export const WHERE = `l.site_id = $1
       and ($2::text is null or email_normalized like '%' || $2 || '%' escape '!' or lower(email) like '%' || $2 || '%' escape '!')
       and ($3::text is null or first_source = $3) and ($4::text is null or ${STANDS} = $4)
       and ($5::text is null or domain_class = $5)
       and ($6::date is null or first_captured_at >= site_day_starts($1, $6::date))
       and ($7::date is null or first_captured_at < site_day_starts($1, $7::date + 1))
       and ($8::timestamptz is null or (first_captured_at, lead_id) < ($8::timestamptz, $9::uuid))
       and ($10::uuid is null or lead_id = (select s.lead_id from submissions s where s.site_id = $1 and s.submission_id = $10))
       and ($11::boolean is null or ${IS_MAILABLE} = $11)
       and ($12::timestamptz is null or ${ENDED_AT} >= $12)
       and ($13::boolean is null or restricted is distinct from $13) and ($15::uuid[] is null or lead_id = any ($15))`;

/** among  whom the list is of at most (among.ts) */
export const valuesOf = (
  siteId: string,
  filter: LeadFilter,
  among: string[] | null,
  after: Cursor | null,
): unknown[] => [
  siteId,
  filter.q ? filter.q.toLowerCase().replace(/[!%_]/g, '!$&') : null,
  filter.source ?? null,
  filter.consent ?? null,
  filter.domainClass ?? null,
  filter.from ?? null,
  filter.to ?? null,
  after?.at ?? null,
  after?.leadId ?? null,
  filter.submissionId ?? null,
  filter.mailable ?? null,
  filter.withdrawnSince ?? null,
  filter.unrestricted ?? null,
  filter.purpose ?? EMAIL,
  among,
];

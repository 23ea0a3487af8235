// Which mails may leave now: those that are due, within what a client and a site may have sent in a day.
import type { Db } from '../../ground/db/pool.ts';

const CLAIM_MINUTES = 10; // a process that dies while sending: somebody else tries after that
/** How many are claimed at once. */
export const BITE = 20;

/**
 * Of 24 hours. A stand at a fair signs up some dozens from one address; whoever asks for thousands writes other people's
 * addresses. What is more waits, and the alarm mails_waiting says so.
 */
export const PER_CLIENT_MAX = 100;
export const PER_SITE_MAX = 2000;

export interface Due {
  mail_id: string;
  site_id: string;
  attempts: number;
  email: string;
  unsubscribe_key: string;
  /** null: no longer wanted */
  token: string | null;
  /** Of the consent that is to be confirmed; null: nobody said. */
  language: string | null;
}

/** Takes the next mails in hand, for ten minutes; inside inSites of all sites. */
export async function claimDue(db: Db): Promise<Due[]> {
  const { rows } = await db.query<Due>(
    `with sent as materialized (
       select site_id, asked_by, count(*) as mails from outgoing_mails
       where site_id = any (current_sites()) and sent_at > now() - interval '1 day' group by 1, 2
     ), waiting as (
       select m.site_id, m.mail_id, m.asked_by, m.next_attempt_at,
         coalesce(s.mails, 0) + row_number() over (partition by m.site_id, m.asked_by order by m.next_attempt_at, m.mail_id) as of_client
       from outgoing_mails m left join sent s on s.site_id = m.site_id and s.asked_by = m.asked_by
       where m.site_id = any (current_sites()) and m.sent_at is null and m.given_up_at is null and m.next_attempt_at <= now()
     ), allowed as (
       select w.*, coalesce((select sum(mails) from sent s where s.site_id = w.site_id), 0)
         + row_number() over (partition by w.site_id order by w.next_attempt_at, w.mail_id) as of_site
       from waiting w where w.asked_by is null or w.of_client <= ${PER_CLIENT_MAX}
     ), due as (
       select m.site_id, m.mail_id from outgoing_mails m join allowed a using (site_id, mail_id)
       where a.of_site <= ${PER_SITE_MAX} and m.sent_at is null and m.next_attempt_at <= now()
       order by m.next_attempt_at limit ${BITE} for update of m skip locked
     ), claimed as (
       update outgoing_mails m set attempts = attempts + 1, next_attempt_at = now() + interval '${CLAIM_MINUTES} minutes'
       from due where m.site_id = due.site_id and m.mail_id = due.mail_id returning m.*
     )
     select c.mail_id, c.site_id, c.attempts, l.email, l.unsubscribe_key,
       case when o.confirmed_at is null and o.cancelled_at is null and not l.restricted then o.token end as token,
       coalesce(t.language, o.request ->> 'language') as language
     from claimed c join leads l using (site_id, lead_id) left join opt_ins o using (site_id, opt_in_id)
     left join consent_texts t on t.site_id = c.site_id and t.text_id = (o.request ->> 'text_id')::uuid`,
  );
  return rows;
}

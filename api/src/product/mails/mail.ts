// Mails that wait in PostgreSQL: claimed, sent by SMTP, tried again later. Now: the first mail of a double opt-in.
import type { Transporter } from 'nodemailer';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { confirmationMail } from './confirmation.ts';

const ATTEMPTS_MAX = 8; // 2, 4, 8 … minutes: over eight hours
const CLAIM_MINUTES = 10; // a process that dies while sending: somebody else tries after that
const BITE = 20;

export interface MailSettings {
  /** Address in From. */
  from: string | undefined;
  /** Our own public URL, for the links. */
  publicUrl: string | undefined;
  /** Who writes, where the site does not say it itself. */
  senderDefaults: SenderDefaults;
}

interface Due {
  mail_id: string;
  site_id: string;
  attempts: number;
  email: string;
  unsubscribe_key: string;
  token: string | null;
  /** Of the consent that is to be confirmed; null: nobody said. */
  language: string | null;
}

/** Sends what is due. returns what became of it; nothing is claimed while no mail server is configured */
export async function sendDueMails(
  pool: Pool,
  sites: Site[],
  transport: Transporter | null,
  settings: MailSettings,
  log: Log,
): Promise<{ sent: number; postponed: number; givenUp: number }> {
  const done = { sent: 0, postponed: 0, givenUp: 0 };
  if (!transport || !settings.from || !settings.publicUrl || sites.length === 0) return done;
  const siteIds = sites.map((site) => site.siteId);
  for (;;) {
    const due = await inSites(
      pool,
      siteIds,
      async (db) =>
        (
          await db.query<Due>(
            `with due as (
             select site_id, mail_id from outgoing_mails where sent_at is null and given_up_at is null and next_attempt_at <= now()
               and site_id = any (current_sites()) order by next_attempt_at limit ${BITE} for update skip locked
           ), claimed as (
             update outgoing_mails m set attempts = attempts + 1, next_attempt_at = now() + interval '${CLAIM_MINUTES} minutes'
             from due where m.site_id = due.site_id and m.mail_id = due.mail_id returning m.*
           )
           select c.mail_id, c.site_id, c.attempts, l.email, l.unsubscribe_key,
             case when o.confirmed_at is null and o.cancelled_at is null and not l.restricted then o.token end as token,
             coalesce(t.language, o.request ->> 'language') as language
           from claimed c join leads l using (site_id, lead_id) left join opt_ins o using (site_id, opt_in_id)
           left join consent_texts t on t.site_id = c.site_id and t.text_id = (o.request ->> 'text_id')::uuid`,
          )
        ).rows,
    );
    for (const mail of due) {
      const site = sites.find(({ siteId }) => siteId === mail.site_id)!;
      let set = 'sent_at = now(), last_error = null';
      if (mail.token === null) {
        set = "given_up_at = now(), last_error = 'no longer wanted'";
        done.givenUp += 1;
      } else
        try {
          await transport.sendMail({
            from: {
              name: senderOf(site, settings.senderDefaults).name,
              address: settings.from,
            },
            to: mail.email,
            ...confirmationMail(
              site,
              { token: mail.token, unsubscribeKey: mail.unsubscribe_key, language: mail.language },
              settings,
            ),
          });
          done.sent += 1;
        } catch (error) {
          const { responseCode, code } = error as { responseCode?: number; code?: string };
          // codes only: the server's words quote the address
          const why = responseCode
            ? `smtp ${responseCode}`
            : (code ?? 'unknown').replace(/[^A-Z0-9_]/gi, '').slice(0, 40);
          const isFinal =
            (responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH') ||
            mail.attempts >= ATTEMPTS_MAX;
          done[isFinal ? 'givenUp' : 'postponed'] += 1;
          log.warn({ mailId: mail.mail_id, attempts: mail.attempts, why, isFinal }, 'a mail was not taken');
          set = isFinal
            ? `given_up_at = now(), last_error = '${why}'`
            : `next_attempt_at = now() + interval '${2 ** mail.attempts} minutes', last_error = '${why}'`;
        }
      await inSites(pool, mail.site_id, (db) =>
        db.query(`update outgoing_mails set ${set} where site_id = $1 and mail_id = $2`, [
          mail.site_id,
          mail.mail_id,
        ]),
      );
    }
    if (due.length < BITE) return done;
  }
}

// Mails that wait in PostgreSQL: claimed, sent by SMTP, tried again later. Now: the first mail of a double opt-in.
import type { Transporter } from 'nodemailer';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { confirmationMail } from './confirmation.ts';
import { BITE, claimDue } from './due.ts';

const ATTEMPTS_MAX = 8; // 2, 4, 8 … minutes: over eight hours

/** Why a mail was not taken, by codes only: the server's words quote the address. */
export function refusalOf(
  error: unknown,
  attempts: number,
  attemptsMax = ATTEMPTS_MAX,
): { why: string; isFinal: boolean } {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  return {
    why: responseCode ? `smtp ${responseCode}` : (code ?? 'unknown').replace(/[^A-Z0-9_]/gi, '').slice(0, 40),
    isFinal:
      (responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH') || attempts >= attemptsMax,
  };
}

export interface MailSettings {
  /** Address in From. */
  from: string | undefined;
  /** Our own public URL, for the links. */
  publicUrl: string | undefined;
  /** Who writes, where the site does not say it itself. */
  senderDefaults: SenderDefaults;
}

/** What it takes to send one. */
export interface Mailing {
  transport: Transporter;
  settings: MailSettings;
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
    const due = await inSites(pool, siteIds, claimDue);
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
          const { why, isFinal } = refusalOf(error, mail.attempts);
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

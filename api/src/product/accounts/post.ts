// Mails to people who sign in: what happened to their account, and links. They wait sealed in the database, from the transaction of
// what they tell, until a mail server has taken them or they are of no use any more.
import type { Transporter } from 'nodemailer';
import type { Config } from '../../config.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import type { Log } from '../../ground/lib/log.ts';
import { makeTransport } from '../mails/transport.ts';
import { inAccounts } from './in-accounts.ts';
import { type DueMail, deleteMail, deleteOldMails, insertMail, takeDueMail } from './mail-queries.ts';
import { MAILS, type MailKind } from './mail-words.ts';
import { userEmail } from './pii.ts';
import type { User } from './queries.ts';
import type { Vault } from './vault.ts';

/** After that it is of no use: a link has run out, and news is old. Default: a day. */
const USEFUL_MS: Partial<Record<MailKind, number>> = { reset: 10 * 60_000, new_email: 60 * 60_000 };
const DAY_MS = 86_400_000;
/** When what was put into a transaction is looked for: soon, and once more for one that took long. The job finds the rest. */
const LOOKS_MS = [100, 2000];

export interface Letter {
  to: string;
  language: 'en' | 'fr';
  kind: MailKind;
  link?: string | undefined;
}
export interface Delivered {
  sent: number;
  /** Not taken now; tried again. */
  postponed: number;
  /** Refused for good, or too old. */
  givenUp: number;
}

export interface Post {
  /** Whether mails can be sent at all. */
  isConfigured: boolean;
  /** To who has an account, in the transaction of what happened. */
  tell(db: Db, user: User, kind: MailKind, link?: string): Promise<void>;
  /** To somebody by an address. userId  whose row it goes with */
  send(db: Db, letter: Letter, userId?: string): Promise<void>;
  /** Sends what is due. */
  deliver(): Promise<Delivered>;
  close(): Promise<void>;
}

const placeOf = (mailId: string) => `account_mails.sealed ${mailId}`;

export function openPost(
  config: Pick<Config, 'SMTP_URL' | 'MAIL_FROM' | 'PUBLIC_URL'>,
  vault: Vault | null,
  pool: Pool,
  log?: Log,
): Post {
  const { SMTP_URL: smtpUrl, MAIL_FROM: from, PUBLIC_URL: publicUrl } = config;
  const isConfigured = Boolean(smtpUrl && from && publicUrl && vault);
  const where = publicUrl ? new URL(publicUrl).host : '';
  let transport: Promise<Transporter> | null = null;
  let running: Promise<Delivered> | null = null;
  const looks = new Set<NodeJS.Timeout>();

  async function hand(to: string, { kind, language }: DueMail, link: string | undefined): Promise<void> {
    const [subject, words] = MAILS[kind][language];
    transport ??= makeTransport(smtpUrl!);
    await (await transport).sendMail({
      from: from!,
      to,
      subject: `${subject} (${where})`,
      text: `${words}\n${link ? `\n${link}\n` : ''}\n-- \n${where}\n`,
    });
  }

  /** returns  what became of it */
  async function one(mail: DueMail): Promise<keyof Delivered> {
    const isOld = Date.now() - mail.createdAt.getTime() > (USEFUL_MS[mail.kind] ?? DAY_MS);
    const text = isOld ? null : await inAccounts(pool, (tx) => vault!.open(tx, mail, placeOf(mail.mailId)));
    let outcome: keyof Delivered = 'givenUp';
    if (text !== null) {
      const { to, link } = JSON.parse(text) as Pick<Letter, 'to' | 'link'>;
      outcome = await hand(to, mail, link).then(
        () => 'sent' as const,
        (error: { responseCode?: number; code?: string }) => {
          const { responseCode, code } = error;
          // codes only: the server's words quote the address
          log?.warn(
            { kind: mail.kind, why: responseCode ?? code ?? 'unknown' },
            'a mail about an account was not taken',
          );
          return responseCode !== undefined && responseCode >= 500 ? 'givenUp' : 'postponed';
        },
      );
    }
    if (outcome !== 'postponed') await inAccounts(pool, (tx) => deleteMail(tx, mail.mailId));
    return outcome;
  }

  async function all(): Promise<Delivered> {
    const done: Delivered = { sent: 0, postponed: 0, givenUp: 0 };
    for (;;) {
      const mail = await inAccounts(pool, takeDueMail);
      if (!mail) return done;
      done[await one(mail)] += 1;
    }
  }
  /** What waited when there was a mail server. */
  const forgotten = async (): Promise<Delivered> => ({
    sent: 0,
    postponed: 0,
    givenUp: await inAccounts(pool, deleteOldMails),
  });
  function deliver(): Promise<Delivered> {
    running ??= (isConfigured ? all() : forgotten()).finally(() => {
      running = null;
    });
    return running;
  }
  function lookSoon(): void {
    for (const ms of LOOKS_MS) {
      const look = setTimeout(() => {
        looks.delete(look);
        deliver().catch((err) => log?.error({ err }, 'mails about accounts could not be looked for'));
      }, ms);
      looks.add(look);
    }
  }
  async function send(db: Db, { to, link, kind, language }: Letter, userId?: string): Promise<void> {
    if (!isConfigured) return;
    await insertMail(db, { kind, language, userId: userId ?? null }, (mailId) =>
      vault!.seal(db, JSON.stringify({ to, link }), placeOf(mailId)),
    );
    lookSoon();
  }
  return {
    isConfigured,
    send,
    deliver,
    async tell(db, user, kind, link) {
      if (!isConfigured) return;
      const to = await userEmail(db, vault!, user, MACHINE);
      if (to) await send(db, { to, language: user.language, kind, link }, user.userId);
    },
    async close() {
      for (const look of looks) clearTimeout(look);
      await running?.catch(() => {});
      if (transport) (await transport).close();
    },
  };
}

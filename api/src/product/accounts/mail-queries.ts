// The SQL door of mails about accounts. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';
import { newId } from './ids.ts';
import type { MailKind } from './mail-words.ts';
import type { Sealed } from './vault.ts';

export interface DueMail extends Sealed {
  mailId: string;
  kind: MailKind;
  language: 'en' | 'fr';
  createdAt: Date;
}

/** sealed  what it holds, bound to its row */
export async function insertMail(
  db: Db,
  { kind, language, userId }: { kind: MailKind; language: 'en' | 'fr'; userId: string | null },
  sealed: (mailId: string) => Promise<Sealed>,
): Promise<void> {
  const mailId = await newId(db);
  const { sealed: bytes, keyId } = await sealed(mailId);
  await db.query(
    'insert into account_mails (mail_id, user_id, kind, language, sealed, key_id) values ($1, $2, $3, $4, $5, $6)',
    [mailId, userId, kind, language, bytes, keyId],
  );
}

/** Takes the oldest that is due, and puts it off by a time that doubles, so that a server that is away is not asked at once again. */
export async function takeDueMail(db: Db): Promise<DueMail | null> {
  const { rows } = await db.query<DueMail>(
    `update account_mails m set attempts = attempts + 1, due_at = now() + least(30, 2 ^ attempts) * interval '1 minute'
     where mail_id = (select mail_id from account_mails where due_at <= now() order by mail_id limit 1 for update skip locked)
     returning mail_id as "mailId", kind, language, sealed, key_id as "keyId", created_at as "createdAt"`,
  );
  return rows[0] ?? null;
}

export async function deleteMail(db: Db, mailId: string): Promise<void> {
  await db.query('delete from account_mails where mail_id = $1', [mailId]);
}

/** returns  how many */
export async function deleteOldMails(db: Db): Promise<number> {
  return (
    (await db.query("delete from account_mails where created_at < now() - interval '1 day'")).rowCount ?? 0
  );
}

// Mails the links that were asked for, to those of whom something is held; of the others the address goes at once.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Site } from '../../ground/site.ts';
import type { Tables } from '../../ground/tables.ts';
import { type Language, languageOf, readLanguage } from '../../ground/words/language.ts';
import { yourDataWords } from '../../ground/words/words.ts';
import { linkToken, newKey } from '../consent/link.ts';
import { LANGUAGE_AGREED_IN } from '../consent/spoken.ts';
import { baseOf, lettered } from '../mails/letter.ts';
import { type Mailing, refusalOf } from '../mails/mail.ts';
import { senderOf } from '../sites/sender.ts';
import { hashOfKey, LINK_MINUTES } from './links.ts';
import { isKnown, personAt } from './person.ts';
import { yourDataTables } from './tables.ts';

const BITE = 20;
const CLAIM_MINUTES = 10; // a process that dies while sending: somebody else tries after that
const ATTEMPTS_MAX = 4; // 2, 4, 8 minutes: whoever waits longer asks again

export interface SendNeeds {
  db: Pool;
  sites: { list(): Site[] };
  /** Of all features. */
  tables: Tables;
  leads: { mailing: Mailing | null; hashAddress(siteId: string, normalized: string): string };
}

interface Due {
  siteId: string;
  linkId: string;
  kind: 'look' | 'address';
  normalized: string;
  mailTo: string | null;
  language: Language;
  attempts: number;
}

/** returns  what became of those that were due; nobody: nothing is held about the address */
export async function sendLinks(
  needs: SendNeeds,
): Promise<{ sent: number; nobody: number; postponed: number; givenUp: number }> {
  const { db, leads } = needs;
  const done = { sent: 0, nobody: 0, postponed: 0, givenUp: 0 };
  const sites = needs.sites.list();
  const siteIds = sites.map(({ siteId }) => siteId);
  if (siteIds.length === 0) return done;
  await inSites(db, siteIds, forgetEnded);
  if (!leads.mailing) return done;
  for (;;) {
    const due = await inSites(db, siteIds, claimDue);
    for (const one of due)
      done[await sendOne(needs, leads.mailing, sites.find(({ siteId }) => siteId === one.siteId)!, one)] += 1;
    if (due.length < BITE) return done;
  }
}

/** The address of who asked stays no longer than the link works, or could have. */
async function forgetEnded(db: Db): Promise<void> {
  await db.query(
    `update your_data_links set email_normalized = null, mail_to = null, next_attempt_at = null
     where site_id = any (current_sites()) and email_normalized is not null
       and coalesce(expires_at, asked_at + interval '${LINK_MINUTES} minutes') < now()`,
  );
}

async function claimDue(db: Db): Promise<Due[]> {
  const { rows } = await db.query<Due>(
    `with due as (
       select site_id, link_id from your_data_links
       where site_id = any (current_sites()) and next_attempt_at <= now() and email_normalized is not null
       order by next_attempt_at limit ${BITE} for update skip locked
     )
     update your_data_links l set attempts = attempts + 1, next_attempt_at = now() + interval '${CLAIM_MINUTES} minutes'
     from due where l.site_id = due.site_id and l.link_id = due.link_id
     returning l.site_id as "siteId", l.link_id as "linkId", kind, email_normalized as normalized, mail_to as "mailTo", language, attempts`,
  );
  return rows;
}

async function sendOne(
  needs: SendNeeds,
  mailing: Mailing,
  site: Site,
  due: Due,
): Promise<'sent' | 'nobody' | 'postponed' | 'givenUp'> {
  const { siteId, linkId } = due;
  const set = (what: string, ...values: unknown[]) =>
    inSites(needs.db, siteId, (db) =>
      db.query(`update your_data_links set ${what} where site_id = $1 and link_id = $2`, [
        siteId,
        linkId,
        ...values,
      ]),
    );
  const to = await inSites(needs.db, siteId, (db) => addressee(db, needs, due));
  if (!to) {
    await set('email_normalized = null, mail_to = null, next_attempt_at = null');
    return 'nobody';
  }
  const key = newKey();
  await set(`token_hash = $3, expires_at = now() + interval '${LINK_MINUTES} minutes'`, hashOfKey(key));
  const language = to.language ?? languageOf(site.settings) ?? due.language;
  try {
    await mailing.transport.sendMail({
      from: { name: senderOf(site, mailing.settings.senderDefaults).name, address: mailing.settings.from! },
      to: due.mailTo ?? to.email,
      ...letterOf(site, mailing, due.kind, language, linkToken(siteId, key)),
    });
  } catch (error) {
    const { isFinal } = refusalOf(error, due.attempts, ATTEMPTS_MAX);
    if (isFinal) await set('next_attempt_at = null');
    else await set('next_attempt_at = now() + make_interval(mins => $3)', 2 ** due.attempts);
    return isFinal ? 'givenUp' : 'postponed';
  }
  await set('next_attempt_at = null');
  return 'sent';
}

/** The person's address as it is held, and the language of what they agreed to; null: nothing is held. Inside inSites. */
async function addressee(
  db: Db,
  { tables, leads }: SendNeeds,
  { siteId, normalized }: Due,
): Promise<{ email: string; language: Language | undefined } | null> {
  const person = await personAt(db, siteId, normalized, leads.hashAddress(siteId, normalized));
  // that somebody asks is nothing that is held about them
  if (!(await isKnown(db, withoutLinks(tables), siteId, person))) return null;
  if (!person.leadId) return { email: normalized, language: undefined };
  const { rows } = await db.query<{ email: string; language: string | null }>(
    `select l.email, ${LANGUAGE_AGREED_IN} as language from leads l where l.site_id = $1 and l.lead_id = $2`,
    [siteId, person.leadId],
  );
  return rows[0] ? { email: rows[0].email, language: readLanguage(rows[0].language) } : null;
}

const withoutLinks = (tables: Tables): Tables =>
  Object.fromEntries(Object.entries(tables).filter(([name]) => !Object.hasOwn(yourDataTables, name)));

function letterOf(site: Site, { settings }: Mailing, kind: Due['kind'], language: Language, token: string) {
  const { name } = senderOf(site, settings.senderDefaults);
  const words = yourDataWords(language);
  const says = kind === 'look' ? words.mailLook : words.mailAddress;
  return {
    subject: says.subject(name),
    ...lettered(site, language, settings, {
      says: says.says(name, LINK_MINUTES),
      button: says.button,
      otherwise: says.otherwise,
      link: `${baseOf(settings)}/v1/your-data/${token}?lang=${language}`,
    }),
  };
}

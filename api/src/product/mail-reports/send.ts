// Sends what is due: the mails that ask, and the copies of reports, each tried again later where a server did not take it.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import type { Vault } from '../accounts/vault.ts';
import { type Mailing, refusalOf } from '../mails/mail.ts';
import { type KeptPage, page } from '../metrics/reports/page.ts';
import type { Facts } from '../metrics/reports/report.ts';
import { senderOf } from '../sites/sender.ts';
import { addressesOf } from './addresses.ts';
import { askMail } from './ask-mail.ts';
import { claimCopies, type DueCopy, noteCopy } from './queries.ts';
import { type Asked, claimAsked, noteAsked } from './recipients.ts';
import { reportMail } from './report-mail.ts';

const BITE = 20;

export interface SendNeeds {
  db: Pool;
  sites: { ids(): string[]; find(siteId: string): Site | undefined };
  /** null: there is no keyring, so that no address can be read. */
  vault: Vault | null;
  /** null: no mail server is set. */
  mailing: Mailing | null;
  facts: Facts;
  log: Log;
  now?: () => Date;
}
export interface Sent {
  asked: number;
  sent: number;
  postponed: number;
  givenUp: number;
}

/** returns  counts; nothing is claimed while no mail server is set */
export async function sendReports(needs: SendNeeds): Promise<Sent> {
  const done: Sent = { asked: 0, sent: 0, postponed: 0, givenUp: 0 };
  const { db, sites, mailing, now = () => new Date() } = needs;
  const siteIds = sites.ids();
  if (!mailing || !needs.vault || siteIds.length === 0) return done;
  for (;;) {
    const asked = await inSites(db, siteIds, (tx) => claimAsked(tx, BITE));
    const copies = await inSites(db, siteIds, (tx) => claimCopies(tx, now(), BITE));
    const ids = [...asked, ...copies].map(({ recipient_id }) => recipient_id);
    const addresses = await addressesOf(db, needs.vault, ids);
    for (const one of asked) await ask(needs, mailing, one, addresses, done);
    // recipients of one report get the same numbers: they are read once
    for (const ofReport of Map.groupBy(copies, (copy) => copy.report_id).values())
      await sendCopies(needs, mailing, ofReport, addresses, done);
    if (asked.length < BITE && copies.length < BITE) return done;
  }
}

const fromOf = (site: Site, { settings }: Mailing) => ({
  name: senderOf(site, settings.senderDefaults).name,
  address: settings.from!,
});

type Addresses = ReadonlyMap<string, string>;
/** throws  as a mail server does that is away for a while: the keyring of then may come back */
function addressOf({ recipient_id }: { recipient_id: string }, addresses: Addresses): string {
  const address = addresses.get(recipient_id);
  if (address) return address;
  throw Object.assign(new Error('ACCOUNT_KEYS does not open the address'), { code: 'ACCOUNT_KEYS' });
}

async function ask(
  { db, sites, log }: SendNeeds,
  mailing: Mailing,
  one: Asked,
  addresses: Addresses,
  done: Sent,
): Promise<void> {
  const site = sites.find(one.site_id)!;
  let next: number | null = null;
  try {
    await mailing.transport.sendMail({
      from: fromOf(site, mailing),
      to: addressOf(one, addresses),
      ...askMail(site, one, mailing.settings),
    });
    done.asked += 1;
  } catch (error) {
    const { why, isFinal } = refusalOf(error, one.attempts);
    log.warn({ recipientId: one.recipient_id, why, isFinal }, 'a mail that asks a recipient was not taken');
    done[isFinal ? 'givenUp' : 'postponed'] += 1;
    if (!isFinal) next = 2 ** one.attempts;
  }
  await inSites(db, one.site_id, (tx) => noteAsked(tx, one, next));
}

async function sendCopies(
  { db, sites, facts, log }: SendNeeds,
  mailing: Mailing,
  copies: DueCopy[],
  addresses: Addresses,
  done: Sent,
): Promise<void> {
  const site = sites.find(copies[0]!.site_id)!;
  const numbers = await readNumbers(db, site, copies[0]!, facts);
  for (const copy of copies) {
    let why: string | null = null;
    let next: number | null = null;
    try {
      await mailing.transport.sendMail({
        from: fromOf(site, mailing),
        to: addressOf(copy, addresses),
        // the same if it leaves twice after a crash: most mail programs show it once
        messageId: `<${copy.report_id}.${copy.recipient_id}.${copy.last_day}@${mailing.settings.from!.split('@')[1]}>`,
        ...reportMail(site, copyOf(copy), numbers, mailing.settings),
      });
      done.sent += 1;
    } catch (error) {
      const refusal = refusalOf(error, copy.attempts);
      ({ why } = refusal);
      if (!refusal.isFinal) next = 2 ** copy.attempts;
      log.warn({ reportId: copy.report_id, why, isFinal: refusal.isFinal }, 'a report was not taken');
      done[refusal.isFinal ? 'givenUp' : 'postponed'] += 1;
    }
    await inSites(db, copy.site_id, (tx) => noteCopy(tx, copy, why, next));
  }
}

const copyOf = ({ every, language, first_day, last_day, link_key }: DueCopy) => ({
  every,
  language,
  firstDay: first_day,
  lastDay: last_day,
  linkKey: link_key,
});

/** What the overview shows of these days. */
const readNumbers = (
  db: Pool,
  site: Site,
  { first_day: from, last_day: to }: DueCopy,
  facts: Facts,
): Promise<KeptPage> =>
  inSites(db, site.siteId, async (tx) =>
    page.read(tx, site, await page.query.parseAsync({ from, to, vs: 'previous' }), facts),
  );

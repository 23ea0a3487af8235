// Looks once an hour at the sites that have rules, and warns who said yes.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import { type Site, timeZoneOf } from '../../ground/site.ts';
import type { Vault } from '../accounts/vault.ts';
import { linkToken } from '../consent/link.ts';
import { addressesOf } from '../mail-reports/addresses.ts';
import { baseOf, lettered } from '../mails/letter.ts';
import { type Mailing, refusalOf } from '../mails/mail.ts';
import { senderOf } from '../sites/sender.ts';
import { type Finding, judge, type Seen } from './judge.ts';
import { findSeen, findSource, findWatched, noteTold, type Watched } from './queries.ts';
import { alertWords, hoursOf } from './words.ts';

const HOUR_MS = 3_600_000;

export interface WatchNeeds {
  db: Pool;
  sites: { ids(): string[]; find(siteId: string): Site | undefined };
  /** null: there is no keyring, so that no address can be read. */
  vault: Vault | null;
  /** null: no mail server is set. */
  mailing: Mailing | null;
  log: Log;
  now?: () => Date;
}
export interface Watch {
  rules: number;
  /** Rules that warned, and mails that no server took. */
  told: number;
  notTaken: number;
}

/** One statement a site with rules, and one more where visits rose or fell. */
export async function watchSites(needs: WatchNeeds): Promise<Watch> {
  const { db, sites, mailing, now = () => new Date() } = needs;
  const done: Watch = { rules: 0, told: 0, notTaken: 0 };
  const siteIds = sites.ids();
  if (!mailing || siteIds.length === 0) return done;
  const at = now();
  const hour = new Date(Math.floor(at.getTime() / HOUR_MS - 1) * HOUR_MS);
  const watched = await inSites(db, siteIds, (tx) => findWatched(tx, at));
  done.rules = watched.length;
  for (const [siteId, rules] of Map.groupBy(watched, (rule) => rule.siteId)) {
    const goals = [...new Set(rules.flatMap(({ goal }) => goal ?? []))];
    const seen = await inSites(db, siteId, (tx) => findSeen(tx, siteId, hour, goals));
    for (const rule of rules) await judged(needs, mailing, rule, { seen, hour, at }, done);
  }
  return done;
}

async function judged(
  needs: WatchNeeds,
  mailing: Mailing,
  rule: Watched,
  { seen, hour, at }: { seen: Seen; hour: Date; at: Date },
  done: Watch,
): Promise<void> {
  const { db, sites } = needs;
  const finding = judge(rule.kind, rule.sensitivity, seen, rule.goal);
  if (!finding) return;
  const sign = ({ spike: 1, drop: -1 } as const)[rule.kind as 'spike' | 'drop'];
  const source = sign
    ? await inSites(db, rule.siteId, (tx) => findSource(tx, rule.siteId, hour, sign))
    : null;
  const site = sites.find(rule.siteId)!;
  let taken = 0;
  const ids = rule.recipients.map(({ recipientId }) => recipientId);
  const addresses = await addressesOf(db, needs.vault, ids);
  for (const recipient of rule.recipients) {
    const to = addresses.get(recipient.recipientId);
    if (to === undefined) {
      done.notTaken += 1;
      needs.log.warn(
        { ruleId: rule.ruleId },
        'ACCOUNT_KEYS does not open the address of who is to be warned',
      );
      continue;
    }
    try {
      await mailing.transport.sendMail({
        from: { name: senderOf(site, mailing.settings.senderDefaults).name, address: mailing.settings.from! },
        to,
        ...warning(site, mailing, rule, recipient, { ...finding, source, hour }),
      });
      taken += 1;
    } catch (error) {
      done.notTaken += 1;
      needs.log.warn({ ruleId: rule.ruleId, why: refusalOf(error, 1).why }, 'a warning was not taken');
    }
  }
  // nobody was reached: the next hour tries again, if it is still so
  if (taken === 0) return;
  await inSites(db, rule.siteId, (tx) => noteTold(tx, rule, at));
  done.told += 1;
}

function warning(
  site: Site,
  { settings }: Mailing,
  { kind, goal }: Watched,
  { language, linkKey }: Watched['recipients'][number],
  { source, hour, ...finding }: Finding & { source: string | null; hour: Date },
) {
  const w = alertWords[language];
  const leave = `${baseOf(settings)}/v1/report-mails/${linkToken(site.siteId, linkKey)}/leave`;
  const hours = hoursOf(language, hour, timeZoneOf(site));
  const { headers, ...mail } = lettered(site, language, settings, {
    says: w.says[kind]({ ...finding, source, goal, hours }),
    button: w.button,
    link: `${baseOf(settings)}/app/${encodeURIComponent(site.key)}/overview?range=today`,
    otherwise: w.otherwise,
    links: [{ words: w.leave, url: `${leave}?lang=${language}` }],
  });
  return {
    subject: w.subject[kind](site.name || site.key),
    ...mail,
    headers: {
      ...headers,
      'Auto-Submitted': 'auto-generated',
      'List-Unsubscribe': `<${leave}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  };
}

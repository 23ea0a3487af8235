// What leads need while the process runs: connections of their own, the journal, and what plays it back.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Config } from '../../config.ts';
import { withRetries } from '../../ground/db/faults.ts';
import { makePool, type Pool } from '../../ground/db/pool.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import { purposeDigest, rememberForgotten, rememberNobody } from '../consent/forget-journal.ts';
import { type Confirmation, type Confirmed, confirmOptIn } from '../consent/opt-in.ts';
import { type Withdrawal, type Withdrawn, withdrawConsent } from '../consent/record.ts';
import { todaysPartitions } from '../events/partitions.ts';
import { type MailSettings, sendDueMails } from '../mails/mail.ts';
import { makeTransport } from '../mails/transport.ts';
import type { SenderDefaults } from '../sites/sender.ts';
import type { MailFacts } from '../sites/settings.ts';
import { type Capture, type CaptureSettings, emailHash } from './capture.ts';
import { challengeJudge, type JudgeChallenge } from './challenge.ts';
import { type Entry, type Journal, openJournal } from './journal.ts';
import { makeKeep } from './keep.ts';
import { type CaptureLimits, captureLimits } from './limits.ts';
import { type Captured, storeCapture } from './store.ts';

const REPLAY_EVERY_MS = 2000;
const REMEMBERED_MAX = 10_000; // 1 MB

/** What jobs need of leads, in any process. */
export interface LeadWork {
  hashAddress(siteId: string, normalized: string): string;
  /** Of erasures and withdrawals, outside the database. */
  forgetJournal: string;
  /** What mails need; for switching double opt-in on. */
  mail: MailFacts;
  /** Sends the mails that are due. */
  sendMails(sites: Site[]): ReturnType<typeof sendDueMails>;
}

export async function leadWork(config: Config, pool: Pool, log: Log): Promise<LeadWork & { close(): void }> {
  const transport = config.SMTP_URL ? await makeTransport(config.SMTP_URL) : null;
  const mail: MailSettings = {
    from: config.MAIL_FROM,
    publicUrl: config.PUBLIC_URL,
    senderDefaults: senderDefaultsOf(config),
  };
  return {
    hashAddress: (siteId, normalized) => emailHash(config.IP_HASH_PEPPER, siteId, normalized),
    forgetJournal: forgetJournalOf(config),
    mail: {
      missing: (['SMTP_URL', 'MAIL_FROM', 'PUBLIC_URL'] as const).filter((name) => !config[name]),
      sender: config.MAIL_SENDER,
    },
    sendMails: (sites) => sendDueMails(pool, sites, transport, mail, log),
    close: () => transport?.close(),
  };
}

/** Who writes, for sites that don't say it themselves. */
export const senderDefaultsOf = (config: Config): SenderDefaults => ({
  sender: config.MAIL_SENDER,
  contact: config.PRIVACY_CONTACT_EMAIL ?? config.MAIL_FROM,
});

export interface Leads extends LeadWork {
  pool: Pool;
  journal: Journal;
  captureLimits: CaptureLimits;
  judgeChallenge: JudgeChallenge;
  settings: CaptureSettings;
  /** Stores a capture, or puts it into the journal: a lead is never refused because the database is away, or in trouble. */
  capture(request: Capture, requestId: string): Promise<Captured | 'journalled'>;
  /** Withdraws consent, or puts it into the journal while the database is away: it counts from now on all the same. */
  withdraw(request: Withdrawal): Promise<Withdrawn>;
  /** Confirms an opt-in, or puts it into the journal while the database is away: what the link is worth shows then. */
  confirm(request: Confirmation): Promise<Confirmed | 'journalled'>;
  /** Plays what the journal holds; answers how many entries. */
  replay(): Promise<number>;
  close(): Promise<void>;
}

export const journalFolder = (config: Pick<Config, 'DATA_DIR'>) => join(config.DATA_DIR, 'journal');

export const forgetJournalOf = (config: Pick<Config, 'DATA_DIR'>) =>
  join(journalFolder(config), 'forgotten.ndjson');

export async function startLeads(config: Config, appUrl: string, log: Log): Promise<Leads> {
  // Not shared with events or reading: a flood of either leaves these two alone.
  const pool = makePool(appUrl, { name: 'leads', connectionsMax: 3, statementTimeoutMs: 10_000, log });
  const journal = await openJournal(journalFolder(config), log);
  const keep = makeKeep(journal, log);
  const work = await leadWork(config, pool, log);

  const withPartitions = <T>(store: () => Promise<T>) => withRetries(store, todaysPartitions(pool));
  const captureNow = (request: Capture) => withPartitions(() => storeCapture(pool, request));
  const confirmNow = (request: Confirmation) => withPartitions(() => confirmOptIn(pool, request));
  // whose withdrawal this process has put beside the database
  const remembered = new LRUCache<string, true>({ max: REMEMBERED_MAX });
  async function withdrawNow(request: Withdrawal): Promise<Withdrawn> {
    const withdrawn = await withRetries(() => withdrawConsent(pool, request));
    const { leadId, again } = withdrawn;
    // Nobody's can never be played back, and a second one of the same person says nothing new: both cost the same
    // writes, so that the time of the answer is the same, and lengthen nothing.
    const isKept = leadId !== null && !(again && remembered.has(leadId));
    if (leadId || request.basis === 'unsubscribe_request') {
      const entry = {
        siteId: request.site_id,
        leadId: leadId ?? randomUUID(),
        at: new Date().toISOString(),
        saidAt: request.at,
        ...(request.purposes ? { purposes: request.purposes.map(purposeDigest) } : {}),
      };
      await (isKept ? rememberForgotten : rememberNobody)(work.forgetJournal, {
        kind: 'withdrawal',
        ...entry,
      })
        .then(() => isKept && remembered.set(leadId, true))
        .catch((err) => log.error({ err }, 'a withdrawal could not be written beside the database'));
    }
    return withdrawn;
  }
  const play = async ({ kind, body }: Entry) => {
    if (kind === 'capture') await captureNow(body as Capture);
    else if (kind === 'withdrawal') await withdrawNow(body as Withdrawal);
    else if (kind === 'confirmation') {
      const confirmed = await confirmNow(body as Confirmation);
      // the person was told that it would be judged later; this is the judgement
      if (confirmed !== 'confirmed')
        log.info({ confirmed }, 'a confirmation from the journal came to nothing');
    } else throw new Error(`an entry of an unknown kind: ${kind}`);
  };
  const replay = async () => {
    const played = (await journal.look()) ? await journal.replay(play) : 0;
    if (played > 0) log.info({ played }, 'the journal was played back');
    return played;
  };
  await replay();
  const timer = setInterval(() => {
    replay().catch((err) => log.warn({ err }, 'the journal could not be played back yet'));
  }, REPLAY_EVERY_MS).unref();
  return {
    pool,
    journal,
    ...work,
    capture: (request, requestId) => keep('capture', request, captureNow, requestId),
    async withdraw(request) {
      const withdrawn = await keep('withdrawal', request, withdrawNow);
      return withdrawn === 'journalled' ? { outcome: 'withdrawn', leadId: null, again: false } : withdrawn;
    },
    confirm: (request) => keep('confirmation', request, confirmNow),
    captureLimits: captureLimits(config.RATE_LIMITS === 'on'),
    judgeChallenge: challengeJudge(config.TURNSTILE_SECRET, config.TURNSTILE_VERIFY_URL, log),
    settings: {
      pepper: config.IP_HASH_PEPPER,
      inactivityMinutes: config.SESSION_INACTIVITY_MINUTES,
      heuristics: config.ENABLE_HEURISTIC_LINKING,
      windowMinutes: config.HEURISTIC_LINK_WINDOW_MINUTES,
      senderDefaults: senderDefaultsOf(config),
    },
    replay,
    async close() {
      clearInterval(timer);
      work.close();
      await journal.close();
      await pool.end();
    },
  };
}

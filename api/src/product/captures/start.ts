// What leads need while the process runs: connections of their own, the journal, and what plays it back.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Config } from '../../config.ts';
import { withRetries } from '../../ground/db/faults.ts';
import { makePool, type Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import type { Language } from '../../ground/words/language.ts';
import { purposeDigest, rememberForgotten, rememberNobody } from '../consent/forget-journal.ts';
import { type Confirmation, type Confirmed, confirmOptIn } from '../consent/opt-in.ts';
import { type Withdrawal, type Withdrawn, withdrawConsent } from '../consent/record.ts';
import { languageOfLink } from '../consent/spoken.ts';
import { type DisplayWithdrawal, isNamed, withdrawDisplay } from '../display/display.ts';
import { todaysPartitions } from '../events/partitions.ts';
import { type Mailing, type MailSettings, sendDueMails } from '../mails/mail.ts';
import { makeTransport } from '../mails/transport.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { SenderDefaults } from '../sites/sender.ts';
import type { MailFacts } from '../sites/settings.ts';
import { type Capture, type CaptureSettings, emailHash } from './capture.ts';
import { challengeJudge, type JudgeChallenge } from './challenge.ts';
import type { Entry } from './journal.ts';
import { type Journals, openJournals } from './journals.ts';
import { type Keep, makeKeep } from './keep.ts';
import { type CaptureLimits, captureLimits } from './limits.ts';
import { type Captured, storeCapture } from './store.ts';

const REPLAY_EVERY_MS = 2000;
/** How often folders of processes that have ended are looked for: half a minute. */
const ADOPT_EVERY = 15;
const REMEMBERED_MAX = 10_000; // 1 MB

/** What jobs need of leads, in any process. */
export interface LeadWork {
  hashAddress(siteId: string, normalized: string): string;
  /** Of erasures and withdrawals, outside the database; of all processes on one DATA_DIR. */
  forgetJournal: string;
  /** What mails need; for switching double opt-in on. */
  mail: MailFacts;
  /** For mails that wait in no queue of leads; null: no mail server is set. */
  mailing: Mailing | null;
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
    mailing: transport && mail.from && mail.publicUrl ? { transport, settings: mail } : null,
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
  journal: Journals;
  captureLimits: CaptureLimits;
  judgeChallenge: JudgeChallenge;
  settings: CaptureSettings;
  /** Stores a capture, or puts it into the journal: a lead is never refused because the database is away, or in trouble. */
  capture(request: Capture, requestId: string): Promise<Captured | 'journalled'>;
  /** Withdraws consent, or puts it into the journal while the database is away: it counts from now on all the same. */
  withdraw(request: Withdrawal): Promise<Withdrawn>;
  /** Takes back that somebody may be named, or puts that into the journal while the database is away. */
  withdrawDisplay(request: DisplayWithdrawal): Promise<void>;
  /** Whether whoever has this link may be named. */
  isNamed(siteId: string, key: string): Promise<boolean>;
  /** In which language whoever has this link agreed; undefined: unknown. */
  languageOf(siteId: string, key: string): Promise<Language | undefined>;
  /** Confirms an opt-in, or puts it into the journal while the database is away: what the link is worth shows then. */
  confirm(request: Confirmation): Promise<Confirmed | 'journalled'>;
  /** Stores something else than the above, or puts it into the same journal; plays() says what is done with it then. */
  keep: Keep;
  plays(kind: string, store: (body: unknown) => Promise<unknown>): void;
  /** Plays what the journal holds, and does so again and again from now on; everything that plays() takes is known by then. */
  begin(): Promise<void>;
  /** Plays what the journal holds; answers how many entries. */
  replay(): Promise<number>;
  close(): Promise<void>;
}

export const journalFolder = (config: Pick<Config, 'DATA_DIR'>) => join(config.DATA_DIR, 'journal');

export const forgetJournalOf = (config: Pick<Config, 'DATA_DIR'>) =>
  join(journalFolder(config), 'forgotten.ndjson');

/**
 * news          told, after the commit, that the site's outbox grew
 * processCount  how many processes share the limits that are not of one client
 */
export async function startLeads(
  config: Config,
  appUrl: string,
  log: Log,
  news: Pick<Outbox, 'wrote'>,
  processCount: () => number,
): Promise<Leads> {
  // Not shared with events or reading: a flood of either leaves these two alone.
  // Somebody waits for the answer to their form: a server whose machine is gone answers no connection at all, and the journal
  // takes what came after two seconds of that.
  const pool = makePool(appUrl, {
    name: 'leads',
    connectionsMax: 3,
    statementTimeoutMs: 10_000,
    connectMs: 2000,
    log,
  });
  const journal = await openJournals(journalFolder(config), log);
  const keep = makeKeep(journal, log);
  const work = await leadWork(config, pool, log);

  const withPartitions = <T>(store: () => Promise<T>) => withRetries(store, todaysPartitions(pool));
  const captureNow = async (request: Capture) => {
    const captured = await withPartitions(() => storeCapture(pool, request));
    news.wrote(request.site_id, captured.told);
    return captured;
  };
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
  /** Known or not: the same writes, so that the time of the answer tells nothing. */
  async function withdrawDisplayNow(request: DisplayWithdrawal): Promise<void> {
    const leadId = await withRetries(() =>
      inSites(pool, request.site_id, (tx) => withdrawDisplay(tx, request)),
    );
    const entry = {
      kind: 'display',
      siteId: request.site_id,
      leadId: leadId ?? randomUUID(),
      at: new Date().toISOString(),
    } as const;
    await (leadId ? rememberForgotten : rememberNobody)(work.forgetJournal, entry).catch((err) =>
      log.error({ err }, 'a withdrawal could not be written beside the database'),
    );
  }
  const others = new Map<string, (body: unknown) => Promise<unknown>>();
  const play = async ({ kind, body }: Entry) => {
    const other = others.get(kind);
    if (kind === 'capture') await captureNow(body as Capture);
    else if (kind === 'withdrawal') await withdrawNow(body as Withdrawal);
    else if (kind === 'display') await withdrawDisplayNow(body as DisplayWithdrawal);
    else if (kind === 'confirmation') {
      const confirmed = await confirmNow(body as Confirmation);
      // the person was told that it would be judged later; this is the judgement
      if (confirmed !== 'confirmed')
        log.info({ confirmed }, 'a confirmation from the journal came to nothing');
    } else if (other) await other(body);
    else throw new Error(`an entry of an unknown kind: ${kind}`);
  };
  let looks = 0;
  const replay = async () => {
    const own = (await journal.look()) ? await journal.replay(play) : 0;
    const left = looks % ADOPT_EVERY === 0 ? await journal.adopt(play) : 0;
    looks += 1;
    if (own + left > 0) log.info({ played: own + left, ofOthers: left }, 'the journal was played back');
    return own + left;
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    pool,
    journal,
    ...work,
    capture: (request, requestId) => keep('capture', request, captureNow, requestId),
    async withdraw(request) {
      const withdrawn = await keep('withdrawal', request, withdrawNow);
      return withdrawn === 'journalled' ? { outcome: 'withdrawn', leadId: null, again: false } : withdrawn;
    },
    async withdrawDisplay(request) {
      await keep('display', request, withdrawDisplayNow);
    },
    isNamed: (siteId, key) => inSites(pool, siteId, (tx) => isNamed(tx, siteId, key)),
    languageOf: (siteId, key) => inSites(pool, siteId, (tx) => languageOfLink(tx, siteId, key)),
    confirm: (request) => keep('confirmation', request, confirmNow),
    captureLimits: captureLimits(config.RATE_LIMITS === 'on', processCount),
    judgeChallenge: challengeJudge(config.TURNSTILE_SECRET, config.TURNSTILE_VERIFY_URL, log),
    settings: {
      pepper: config.IP_HASH_PEPPER,
      inactivityMinutes: config.SESSION_INACTIVITY_MINUTES,
      heuristics: config.ENABLE_HEURISTIC_LINKING,
      windowMinutes: config.HEURISTIC_LINK_WINDOW_MINUTES,
      senderDefaults: senderDefaultsOf(config),
    },
    keep,
    plays: (kind, store) => void others.set(kind, store),
    async begin() {
      await replay();
      timer = setInterval(() => {
        replay().catch((err) => log.warn({ err }, 'the journal could not be played back yet'));
      }, REPLAY_EVERY_MS).unref();
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

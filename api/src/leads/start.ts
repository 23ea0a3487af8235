// What leads need while the process runs: connections of their own, the journal, and what plays it back.
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { makePool, type Pool } from '../db/pool.ts';
import type { Log } from '../lib/log.ts';
import type { Capture, CaptureSettings } from './capture.ts';
import { challengeJudge, type JudgeChallenge } from './challenge.ts';
import { type Entry, type Journal, openJournal } from './journal.ts';
import { type CaptureLimits, captureLimits } from './limits.ts';
import { storeCapture, withRetries } from './queries.ts';

const REPLAY_EVERY_MS = 2000;

export interface Leads {
  pool: Pool;
  journal: Journal;
  captureLimits: CaptureLimits;
  judgeChallenge: JudgeChallenge;
  settings: CaptureSettings;
  /** Plays what the journal holds; answers how many entries. */
  replay(): Promise<number>;
  close(): Promise<void>;
}

export const journalFolder = (config: Pick<Config, 'DATA_DIR'>) => join(config.DATA_DIR, 'journal');

export async function startLeads(config: Config, appUrl: string, log: Log): Promise<Leads> {
  // Not shared with events or reading: a flood of either leaves these two alone.
  const pool = makePool(appUrl, { name: 'leads', connectionsMax: 3, statementTimeoutMs: 10_000, log });
  const journal = await openJournal(journalFolder(config), log);
  const play = async ({ kind, body }: Entry) => {
    if (kind === 'capture') await withRetries(pool, () => storeCapture(pool, body as Capture));
    else throw new Error(`an entry of an unknown kind: ${kind}`);
  };
  const replay = async () => {
    const played = journal.isEmpty ? 0 : await journal.replay(play);
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
    captureLimits: captureLimits(config.RATE_LIMITS === 'on'),
    judgeChallenge: challengeJudge(config.TURNSTILE_SECRET, config.TURNSTILE_VERIFY_URL, log),
    settings: {
      pepper: config.IP_HASH_PEPPER,
      inactivityMinutes: config.SESSION_INACTIVITY_MINUTES,
      heuristics: config.ENABLE_HEURISTIC_LINKING,
      windowMinutes: config.HEURISTIC_LINK_WINDOW_MINUTES,
    },
    replay,
    async close() {
      clearInterval(timer);
      await journal.close();
      await pool.end();
    },
  };
}

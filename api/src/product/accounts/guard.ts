// Slows whoever guesses passwords: by address of the account and network, by network, by account. A browser that signed in
// before has a count of its own, so that nobody locks an owner out by failing in their name.
import { type Windows, windows } from '../../ground/http/windows.ts';
import { AppError } from '../../ground/lib/app-error.ts';

const QUARTER_MS = 15 * 60_000;
const HOUR_MS = 60 * 60_000;
const MAILS_MAX = 3;
const KEYS_MAX = 5000; // 1 MB each, however many networks somebody has
export const FAILURES_MAX = { pair: 5, network: 30, account: 100, device: 5 } as const;

export interface Attempt {
  /** The network it comes from, as limits know it. */
  network: string;
  /** The account that is tried, whether or not it is there. */
  account: string;
  /** A browser that signed in to this account before. */
  device: string | null;
}

export interface Guard {
  /**
   * Counts a try before it is looked at, so that many at once are no more than many in a row.
   * returns  what to call when it was right: then it does not count. throws  rate_limited with Retry-After
   */
  attempt(attempt: Attempt): Promise<() => Promise<void>>;
  /** Whether one more mail may leave for an account; each that may is counted. */
  mayMail(account: string): boolean;
}

export function makeGuard(enabled: boolean): Guard {
  const mails = windows({ points: MAILS_MAX, ms: HOUR_MS, keysMax: KEYS_MAX });
  const mayMail = (account: string) => mails.take(account) === null;
  if (!enabled) return { attempt: async () => async () => {}, mayMail };
  const limits = {
    pair: windows({ points: FAILURES_MAX.pair, ms: QUARTER_MS, keysMax: KEYS_MAX }),
    network: windows({ points: FAILURES_MAX.network, ms: HOUR_MS, keysMax: KEYS_MAX }),
    account: windows({ points: FAILURES_MAX.account, ms: HOUR_MS, keysMax: KEYS_MAX }),
    device: windows({ points: FAILURES_MAX.device, ms: QUARTER_MS, keysMax: KEYS_MAX }),
  };
  return {
    mayMail,
    async attempt({ network, account, device }) {
      const counted: [Windows, string][] = device
        ? [[limits.device, device]]
        : [
            [limits.pair, `${account} ${network}`],
            [limits.network, network],
            [limits.account, account],
          ];
      for (const [limit, key] of counted) {
        const wait = limit.take(key);
        if (wait !== null) refuse(wait);
      }
      return async () => {
        for (const [limit, key] of counted) if (limit.has(key)) limit.take(key, -1);
      };
    },
  };
}

function refuse(ms: number): never {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  throw new AppError(
    'rate_limited',
    `Too many wrong tries. Try again in ${Math.ceil(seconds / 60)} min, or choose a new password by mail.`,
    { retryAfterSeconds: seconds },
  );
}

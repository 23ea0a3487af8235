// Slows whoever guesses passwords: by address of the account and network, by network, by account. A browser that signed in
// before has a count of its own, so that nobody locks an owner out by failing in their name.
import { windows } from '../../ground/http/windows.ts';
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
  /** Called before the first refusal of a window, and not for the others, so that who goes on trying writes nothing. */
  refused?(): Promise<void>;
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

/** clock  in milliseconds */
export function makeGuard(enabled: boolean, clock: () => number = () => performance.now()): Guard {
  const windowsOf = (points: number, ms: number) => windows({ points, ms, keysMax: KEYS_MAX }, clock);
  const mails = windowsOf(MAILS_MAX, HOUR_MS);
  const mayMail = (account: string) => mails.take(account) === null;
  if (!enabled) return { attempt: async () => async () => {}, mayMail };
  const limits = {
    pair: windowsOf(FAILURES_MAX.pair, QUARTER_MS),
    network: windowsOf(FAILURES_MAX.network, HOUR_MS),
    account: windowsOf(FAILURES_MAX.account, HOUR_MS),
    device: windowsOf(FAILURES_MAX.device, QUARTER_MS),
  };
  const refusals = windowsOf(1, HOUR_MS);
  return {
    mayMail,
    async attempt({ network, account, device, refused }) {
      const counted: [keyof typeof limits, string][] = device
        ? [['device', device]]
        : [
            ['pair', `${account} ${network}`],
            ['network', network],
            ['account', account],
          ];
      for (const [name, key] of counted) {
        const wait = limits[name].take(key);
        const refusal = `${name} ${key}`;
        if (wait === null) {
          if (refusals.look(refusal) !== null) refusals.take(refusal, -1); // its next window has begun
          continue;
        }
        if (refusals.take(refusal) === null) await refused?.();
        refuse(wait);
      }
      return async () => {
        for (const [name, key] of counted) if (limits[name].has(key)) limits[name].take(key, -1);
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

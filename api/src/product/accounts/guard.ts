// Slows whoever guesses passwords: by address of the account and network, by network, by account. A browser that signed in
// before has a count of its own, so that nobody locks an owner out by failing in their name.
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AppError } from '../../ground/lib/app-error.ts';

const QUARTER = 15 * 60;
const HOUR = 60 * 60;
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
}

export function makeGuard(enabled: boolean): Guard {
  if (!enabled) return { attempt: async () => async () => {} };
  const limiter = (points: number, duration: number, keyPrefix: string) =>
    new RateLimiterMemory({ points, duration, keyPrefix });
  const limits = {
    pair: limiter(FAILURES_MAX.pair, QUARTER, 'pair'),
    network: limiter(FAILURES_MAX.network, HOUR, 'network'),
    account: limiter(FAILURES_MAX.account, HOUR, 'account'),
    device: limiter(FAILURES_MAX.device, QUARTER, 'device'),
  };
  return {
    async attempt({ network, account, device }) {
      const counted: [RateLimiterMemory, string][] = device
        ? [[limits.device, device]]
        : [
            [limits.pair, `${account} ${network}`],
            [limits.network, network],
            [limits.account, account],
          ];
      for (const [limit, key] of counted)
        await limit.consume(key).catch((full: { msBeforeNext?: number }) => refuse(full.msBeforeNext));
      return async () => {
        for (const [limit, key] of counted) await limit.reward(key);
      };
    },
  };
}

function refuse(ms = 60_000): never {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  throw new AppError(
    'rate_limited',
    `Too many wrong tries. Try again in ${Math.ceil(seconds / 60)} min, or choose a new password by mail.`,
    { retryAfterSeconds: seconds },
  );
}

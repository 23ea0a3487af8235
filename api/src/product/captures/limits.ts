// Limits of captures beside the one for each client: a network, a site, an address. In memory, like http/rate-limit.ts.
import { isIP } from 'node:net';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../../ground/lib/app-error.ts';

// A campaign sends an office, or a whole town, to one form: these are for machines, which send thousands.
const NETWORK_PER_MINUTE = 240;
const SITE_PER_MINUTE = 1200;
// The same person, again and again, in an hour; what is more waits in quarantine instead of being refused
const ADDRESS_PER_HOUR = 30;

export interface CaptureLimits {
  /** throws rate_limited */
  take(siteId: string, address: string): Promise<void>;
  /** Whether this address was captured more often than a person would. key: its hash */
  tooManyFor(key: string): Promise<boolean>;
}

/** IPv4 /24, IPv6 /48: what one renter of addresses usually has. */
function neighbourhood(address: string): string {
  return isIP(address) === 6
    ? address.split(':').slice(0, 3).join(':')
    : address.split('.').slice(0, 3).join('.');
}

export function captureLimits(enabled: boolean): CaptureLimits {
  if (!enabled) return { take: async () => {}, tooManyFor: async () => false };
  const network = new RateLimiterMemory({ keyPrefix: 'network', points: NETWORK_PER_MINUTE, duration: 60 });
  const site = new RateLimiterMemory({ keyPrefix: 'site', points: SITE_PER_MINUTE, duration: 60 });
  const address = new RateLimiterMemory({ keyPrefix: 'address', points: ADDRESS_PER_HOUR, duration: 3600 });
  return {
    async take(siteId, from) {
      try {
        await network.consume(neighbourhood(from));
        await site.consume(siteId);
      } catch (refusal) {
        const seconds = Math.max(1, Math.ceil(((refusal as RateLimiterRes).msBeforeNext ?? 60_000) / 1000));
        throw new AppError('rate_limited', `Too many forms are being sent. Try again in ${seconds} s.`, {
          retryAfterSeconds: seconds,
        });
      }
    },
    tooManyFor: (key) =>
      address.consume(key).then(
        () => false,
        () => true,
      ),
  };
}

// Limits of captures beside the one for each client: a network, a site, an address. In memory, like http/rate-limit.ts; but
// what many clients share is divided among the processes, since each of them sees its part.
import { isIP } from 'node:net';
import { networkOf } from '../../ground/http/client.ts';
import { windows } from '../../ground/http/windows.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { wordingLimit } from './shed.ts';
import type { Sign } from './spam.ts';

const MINUTE_MS = 60_000;
// A campaign sends an office, or a whole town, to one form: these are for machines, which send thousands.
const NETWORK_PER_MINUTE = 240;
// Beyond these it waits in quarantine instead of being refused: whoever sent the others is somebody else.
const SITE_PER_MINUTE = 1200;
/** Of what is typed, by one client: a form has one kilobyte. Beyond it the addresses are kept alone. */
const CLIENT_BYTES_PER_MINUTE = 128 * 1024;
/** The same person, again and again. */
const ADDRESS_PER_HOUR = 30;
// Keys that are held, of about 200 bytes: clients and networks of a minute, addresses of an hour.
const CLIENTS_MAX = 10_000;
const NETWORKS_MAX = 10_000;
const SITES_MAX = 5_000;
const ADDRESSES_MAX = 20_000;

export interface CaptureLimits {
  /** throws rate_limited when a network sends more than people do */
  take(address: string): void;
  /** Whether a client may send so much beside the addresses. client: the key of its limits; bytes: of what was typed */
  hasRoom(client: string, bytes: number): boolean;
  /** What is too much for a person to have sent: the site's captures of this minute, those of the address (its hash) of this hour, wordings of consent. */
  tooMany(siteId: string, addressHash: string, words: string | undefined): Sign[];
}

/** IPv4 /24, IPv6 /48: what one renter of addresses usually has. */
const neighbourhood = (address: string) =>
  isIP(address) === 6 ? networkOf(address, 48) : address.split('.').slice(0, 3).join('.');

export function captureLimits(enabled: boolean, processCount = () => 1): CaptureLimits {
  if (!enabled) return { take: () => {}, hasRoom: () => true, tooMany: () => [] };
  const shared = (points: number) => () => Math.ceil(points / processCount());
  const networks = windows({ points: shared(NETWORK_PER_MINUTE), ms: MINUTE_MS, keysMax: NETWORKS_MAX });
  const clients = windows({ points: CLIENT_BYTES_PER_MINUTE, ms: MINUTE_MS, keysMax: CLIENTS_MAX });
  const isNewWording = wordingLimit();
  const sites = windows({ points: shared(SITE_PER_MINUTE), ms: MINUTE_MS, keysMax: SITES_MAX });
  const addresses = windows({ points: shared(ADDRESS_PER_HOUR), ms: 60 * MINUTE_MS, keysMax: ADDRESSES_MAX });
  return {
    take(from) {
      const wait = networks.take(neighbourhood(from));
      if (wait === null) return;
      const seconds = Math.ceil(wait / 1000);
      throw new AppError('rate_limited', `Too many forms are being sent. Try again in ${seconds} s.`, {
        retryAfterSeconds: seconds,
      });
    },
    hasRoom: (client, bytes) => clients.take(client, bytes) === null,
    tooMany(siteId, addressHash, words) {
      const signs: Sign[] = [];
      if (sites.take(siteId) !== null) signs.push('too_many_for_site');
      if (addresses.take(addressHash) !== null) signs.push('too_many_for_address');
      if (isNewWording(siteId, words)) signs.push('too_many_wordings');
      return signs;
    },
  };
}

// Where webhooks may go: by https on port 443 to addresses of the public internet, looked at when connecting, so that a name
// that points elsewhere by then reaches nothing of ours.
import { lookup as dnsLookup } from 'node:dns';
import type { ClientRequest, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { networksOf } from '../../ground/lib/networks.ts';

/** How endpoints of others are reached; a test brings one that reaches its own receiver. */
export interface Reach {
  /** Why this address is none for webhooks, to be shown; null: it is one, as far as it is written. */
  refuses(url: URL): string | null;
  request(url: URL, options: RequestOptions): Promise<ClientRequest>;
}

/** What a connection to a forbidden address ends with. */
export class BlockedAddress extends Error {
  readonly code = 'EBLOCKED';
}

/**
 * Beside what request-filtering-agent refuses (everything that ipaddr.js does not call unicast): addresses that carry an
 * IPv4 address within them, which a gateway or an old stack may unpack, and ranges that are nobody's.
 */
const DENIED = networksOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '168.63.129.16/32', // Azure's machine service, on a public address
  '::/96',
  '::ffff:0:0/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/63',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/9',
  'ff00::/8',
]);

/** Of this machine, whatever their range: a public address on its own card too. */
const isOwn = (address: string) =>
  Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address));

const bare = (address: string) => address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');

export const isDenied = (address: string): boolean => {
  const plain = bare(address);
  return DENIED.has(plain) || isOwn(plain);
};

/** Looks a name up; one forbidden address among its answers is enough. lookup: another resolver, for tests */
export function guardedLookup(lookup: LookupFunction): LookupFunction {
  return (name, options, done) => {
    lookup(name, options, (error, address, family) => {
      if (error) return done(error, address, family);
      const all = typeof address === 'string' ? [address] : address.map((one) => one.address);
      const bad = all.length === 0 || all.some((one) => isDenied(one));
      if (bad) return done(new BlockedAddress(`${name} is not on the public internet`), address, family);
      return done(null, address, family);
    });
  };
}

const LOCAL_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|localdomain|home\.arpa)\.?$/i;

/** publicUrl: our own, where nothing is sent. lookup: another resolver, for tests */
export function publicReach(
  publicUrl: string | undefined,
  lookup: LookupFunction = dnsLookup as unknown as LookupFunction,
): Reach {
  const ourselves = publicUrl === undefined ? null : new URL(publicUrl).hostname;
  const guarded = guardedLookup(lookup);
  const refuses = (url: URL): string | null => {
    const host = url.hostname.replace(/\.$/, '');
    if (url.protocol !== 'https:') return 'must begin with https://';
    if (url.port !== '') return 'must be on port 443, so without a port';
    if (url.username !== '' || url.password !== '') return 'must not hold a user name or a password';
    if (host === ourselves?.replace(/\.$/, '')) return 'must not be this installation itself';
    if (isIP(bare(host)) === 0 && (!host.includes('.') || LOCAL_NAME.test(host)))
      return 'must be a name on the public internet';
    if (isDenied(host)) return 'must be an address on the public internet';
    return null;
  };
  return {
    refuses,
    async request(url, options) {
      const why = refuses(url);
      if (why !== null) throw new BlockedAddress(`the address ${why}`);
      const { RequestFilteringHttpsAgent } = await import('request-filtering-agent');
      // no connection is kept: each delivery looks at the address anew
      const agent = new RequestFilteringHttpsAgent({ keepAlive: false });
      return httpsRequest(url, { ...options, agent, lookup: guarded });
    },
  };
}

// Who is asking: the client's address (never stored), its keyed hash, and the key under which limits count it.
import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { networksOf } from '../lib/networks.ts';
import { cutText } from '../lib/text.ts';

export interface Client {
  /** The address as text; for limits and the country only, never logged or stored. */
  address: string;
  /** Keyed hashes of the address and of the user agent, as PostgreSQL reads bytes from a text: \x and hexadecimal digits. */
  ipHash: string;
  uaHash: string;
  userAgent: string;
  /** IPv4 address or IPv6 /64, hashed. */
  limitKey: string;
  /** IPv6 /48, hashed; null: IPv4 */
  networkKey: string | null;
}

export type IdentifyClient = (request: IncomingMessage) => Client;

function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * The network an IPv6 address is in; an IPv4 address itself. Of 64 bits: one subscriber has all of them to choose
 * addresses from; of 48: one customer has all of those.
 */
export function networkOf(address: string, bits: 48 | 64 = 64): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail = ''] = address.split('%')[0]!.split('::');
  const left = head ? head.split(':') : [];
  const right = address.includes('::') ? (tail ? tail.split(':') : []) : [];
  const groups = address.includes('::')
    ? [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
    : left;
  return `${groups
    .slice(0, bits / 16)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/${bits}`;
}

/** What is kept of an address, or of a browser's name, to tell it again: never the thing itself. */
export const keyedHash = (pepper: string, value: string): Buffer =>
  createHmac('sha256', pepper).update(value).digest();

/**
 * trustedProxies  addresses or CIDR ranges of our own Caddy; only from those is X-Real-IP believed. Anything else a
 *                 client sends about its address (X-Forwarded-For, Forwarded, …) is ignored.
 * pepper          the secret of the hashes
 */
export function clientIdentifier(trustedProxies: string[], pepper: string): IdentifyClient {
  const trusted = networksOf(trustedProxies);
  const hmac = (value: string) => keyedHash(pepper, value);
  const bytesText = (digest: Buffer) => `\\x${digest.toString('hex')}`;
  const keyOf = (digest: Buffer) => digest.toString('base64url', 0, 12);
  // Whoever connects is mostly our own Caddy; a look-up in the list makes an object outside of V8 each time.
  const peers = new LRUCache<string, boolean>({ max: 1000 });
  const isTrusted = (peer: string) => {
    let found = peers.get(peer);
    if (found === undefined) {
      found = trusted.has(peer);
      peers.set(peer, found);
    }
    return found;
  };
  // The same browser asks again and again: a client is worked out once (0.02 ms) and found after that.
  const known = new LRUCache<string, Client>({ max: 5000 });
  // Few browsers have many visitors: of a new one only the address is worked out.
  const agents = new LRUCache<string, string>({ max: 1000 });
  const hashOfAgent = (userAgent: string) => {
    let found = agents.get(userAgent);
    if (!found) {
      found = bytesText(hmac(userAgent));
      agents.set(userAgent, found);
    }
    return found;
  };
  return (request) => {
    const { headers } = request;
    const peer = plain(request.socket.remoteAddress ?? '');
    let address = peer;
    if (isTrusted(peer)) {
      const said = plain(String(headers['x-real-ip'] ?? '').trim());
      if (isIP(said)) address = said;
    }
    const userAgent = cutText(headers['user-agent'] ?? '', 512);
    const key = `${address} ${userAgent}`;
    let client = known.get(key);
    if (!client) {
      const digest = hmac(address);
      const isV6 = isIP(address) === 6;
      client = {
        address,
        userAgent,
        ipHash: bytesText(digest),
        uaHash: hashOfAgent(userAgent),
        limitKey: keyOf(isV6 ? hmac(networkOf(address)) : digest), // an IPv4 address is its own network
        networkKey: isV6 ? keyOf(hmac(networkOf(address, 48))) : null,
      };
      known.set(key, client);
    }
    return client;
  };
}

const PRIVATE = networksOf([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1',
  'fc00::/7',
]);

/** Loopback and private ranges: the internal network. */
export const isInternal = (address: string): boolean => PRIVATE.has(address);

// Whether a delivery is signed by whom it should be, as each kind of sender signs: pure. Over the bytes as they came.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Kind, Mapping } from './schema.ts';

export interface Signed {
  headers: IncomingHttpHeaders;
  raw: Buffer;
  /** Epoch milliseconds. */
  now: number;
}

const TOLERANCE_S = 300;

const header = ({ headers }: Signed, name: string): string => {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value.trim() : (value?.[0] ?? '').trim();
};
const hmac = (key: string | Buffer, ...parts: (string | Buffer)[]): Buffer => {
  const made = createHmac('sha256', key);
  for (const part of parts) made.update(part);
  return made.digest();
};
const isSame = (wanted: Buffer, given: Buffer): boolean =>
  wanted.length === given.length && timingSafeEqual(wanted, given);
const isBase64Of = (wanted: Buffer, given: string): boolean =>
  /^[A-Za-z0-9+/]{43}=$/.test(given) && isSame(wanted, Buffer.from(given, 'base64'));
const isHexOf = (wanted: Buffer, given: string): boolean =>
  /^[0-9a-f]{64}$/i.test(given) && isSame(wanted, Buffer.from(given, 'hex'));
const isFresh = (seconds: string, now: number): boolean =>
  /^\d{1,12}$/.test(seconds) && Math.abs(now / 1000 - Number(seconds)) <= TOLERANCE_S;

/** WordPress keeps what was typed with its marks written as entities, and signs with the text itself. */
const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#039;': "'",
  '&#39;': "'",
  '&amp;': '&',
};
const decoded = (text: string): string =>
  text.replace(/&(?:lt|gt|quot|#0?39|amp);/g, (entity) => ENTITIES[entity]!);

function isShopify(signed: Signed, secret: string, { shopDomain }: Mapping): boolean {
  const isShop =
    shopDomain === undefined ||
    header(signed, 'x-shopify-shop-domain').toLowerCase() === shopDomain.toLowerCase();
  return isShop && isBase64Of(hmac(secret, signed.raw), header(signed, 'x-shopify-hmac-sha256'));
}

const isWoo = (signed: Signed, secret: string): boolean =>
  isBase64Of(hmac(decoded(secret), signed.raw), header(signed, 'x-wc-webhook-signature'));

function isStripe(signed: Signed, secret: string): boolean {
  const parts = header(signed, 'stripe-signature')
    .split(',')
    .slice(0, 20)
    .map((part) => part.trim().split('=') as [string, string?]);
  const time = parts.find(([name]) => name === 't')?.[1] ?? '';
  if (!isFresh(time, signed.now)) return false;
  const wanted = hmac(secret, `${time}.`, signed.raw);
  return parts.some(([name, value]) => name === 'v1' && isHexOf(wanted, value ?? ''));
}

function isStandard(signed: Signed, secret: string): boolean {
  const id = header(signed, 'webhook-id');
  const time = header(signed, 'webhook-timestamp');
  if (id === '' || !isFresh(time, signed.now)) return false;
  const wanted = hmac(Buffer.from(secret.replace(/^whsec_/, ''), 'base64'), `${id}.${time}.`, signed.raw);
  return header(signed, 'webhook-signature')
    .split(' ')
    .slice(0, 20)
    .some((one) => one.startsWith('v1,') && isBase64Of(wanted, one.slice(3)));
}

function isGeneric(signed: Signed, secret: string, { signature }: Mapping): boolean {
  if (!signature) return false;
  const given = header(signed, signature.header).replace(/^sha256=/, '');
  const time = signature.timeHeader === undefined ? null : header(signed, signature.timeHeader);
  if (time !== null && !isFresh(time, signed.now)) return false;
  const wanted = time === null ? hmac(secret, signed.raw) : hmac(secret, `${time}.`, signed.raw);
  return signature.encoding === 'hex' ? isHexOf(wanted, given) : isBase64Of(wanted, given);
}

const BY_KIND: Record<Kind, (signed: Signed, secret: string, mapping: Mapping) => boolean> = {
  shopify: isShopify,
  woocommerce: isWoo,
  stripe: isStripe,
  standard_webhooks: isStandard,
  generic: isGeneric,
};

/** secrets: any of them may have signed, as long as a change of them is under way */
export const isSigned = (kind: Kind, signed: Signed, secrets: readonly string[], mapping: Mapping): boolean =>
  secrets.some((secret) => BY_KIND[kind](signed, secret, mapping));

/** WooCommerce asks once, unsigned, whether anybody is there. */
export const isPing = (kind: Kind, raw: Buffer): boolean =>
  kind === 'woocommerce' && raw.length < 64 && /^webhook_id=\d+$/.test(raw.toString());

// How much a submission looks like one nobody typed: points for what was seen, and a signed time to measure haste. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** From here on a submission waits for an admin. One weak sign is never enough. */
export const SUSPICIOUS_FROM = 0.6;
const HASTE_MS = 2000; // the fastest typist needs longer for an address and a button
const TOKEN_AGE_MS_MAX = 24 * 3_600_000;

const POINTS = {
  too_fast: 0.6,
  forged_form_token: 0.6,
  stale_form_token: 0.2,
  failed_challenge: 0.6,
  missing_challenge: 0.4,
  too_many_for_address: 0.6,
  too_many_for_site: 0.6,
  too_many_wordings: 0.6,
  markup_links: 0.6,
  many_links: 0.4,
  some_links: 0.15,
  disposable_domain: 0.3,
  bot_user_agent: 0.2,
  no_user_agent: 0.2,
  prefetch: 0.6,
} as const;

export type Sign = keyof typeof POINTS;
export const SIGNS = Object.keys(POINTS) as Sign[];

export type FormTokenVerdict = 'none' | 'good' | 'forged' | 'too_fast' | 'stale';

const sign = (secret: string, body: string) =>
  createHmac('sha256', secret).update(`form token ${body}`).digest('base64url');

/** A token for the hidden field `formToken`: says, signed, when the form was shown. */
export function makeFormToken(secret: string, nowMs: number): string {
  const body = nowMs.toString(36);
  return `${body}.${sign(secret, body)}`;
}

export function judgeFormToken(secret: string, token: string | undefined, nowMs: number): FormTokenVerdict {
  if (!token) return 'none';
  const [body = '', mac = ''] = token.split('.');
  const expected = Buffer.from(sign(secret, body));
  const given = Buffer.from(mac);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged';
  const age = nowMs - Number.parseInt(body, 36);
  if (!(age >= 0)) return 'forged';
  return age < HASTE_MS ? 'too_fast' : age > TOKEN_AGE_MS_MAX ? 'stale' : 'good';
}

export interface SpamFacts {
  formToken: FormTokenVerdict;
  /** off: not configured; unreachable: the judge was away, which is nobody's fault here */
  challenge: 'off' | 'passed' | 'failed' | 'missing' | 'unreachable';
  isDisposable: boolean;
  isBotAgent: boolean;
  hasUserAgent: boolean;
  isPrefetch: boolean;
  /** Of limits that hold back instead of refusing. */
  tooMany: Sign[];
  /** Everything typed, in any shape. */
  payload: unknown;
}

/** returns the points (0..1) and what they were given for; suspicious from SUSPICIOUS_FROM on */
export function spamScore(facts: SpamFacts): { score: number; signs: Sign[] } {
  const signs: Sign[] = [];
  if (facts.formToken === 'forged') signs.push('forged_form_token');
  if (facts.formToken === 'too_fast') signs.push('too_fast');
  if (facts.formToken === 'stale') signs.push('stale_form_token');
  if (facts.challenge === 'failed') signs.push('failed_challenge');
  if (facts.challenge === 'missing') signs.push('missing_challenge');
  if (facts.isDisposable) signs.push('disposable_domain');
  if (facts.isBotAgent) signs.push('bot_user_agent');
  if (!facts.hasUserAgent) signs.push('no_user_agent');
  if (facts.isPrefetch) signs.push('prefetch');
  signs.push(...facts.tooMany);
  const typed = JSON.stringify(facts.payload ?? '');
  const links = typed.match(/https?:\/\//gi)?.length ?? 0;
  if (/\[url=|<a\s+href/i.test(typed)) signs.push('markup_links');
  if (links >= 3) signs.push('many_links');
  else if (links > 0) signs.push('some_links');
  const score = Math.min(
    1,
    signs.reduce((sum, name) => sum + POINTS[name], 0),
  );
  return { score: Math.round(score * 100) / 100, signs };
}

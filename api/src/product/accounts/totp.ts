// Second factors: codes of an app (RFC 6238), each taken once, and recovery codes, each taken once. The library is loaded
// where somebody has one.
import { randomBytes } from 'node:crypto';
import type { Db } from '../../ground/db/pool.ts';
import { findTotp, useRecoveryCode, useStep } from './factor-queries.ts';
import type { User } from './queries.ts';
import { hashOf } from './secrets.ts';
import type { Vault } from './vault.ts';

const STEP_MS = 30_000;
const ISSUER = 'marketing';

export const placeOfTotp = (factorId: string) => `user_factors.secret_encrypted ${factorId}`;

async function generatorOf(secret: string, label: string) {
  const { Secret, TOTP } = await import('otpauth');
  return new TOTP({
    issuer: ISSUER,
    label,
    algorithm: 'SHA1', // what every app understands; HMAC-SHA1 is not broken
    digits: 6,
    period: STEP_MS / 1000,
    secret: Secret.fromBase32(secret),
  });
}

/** label  what the app shows beside the code. returns  base32, and the address that a QR code holds */
export async function newTotp(label: string): Promise<{ secret: string; uri: string }> {
  const { Secret } = await import('otpauth');
  const secret = new Secret({ size: 20 }).base32;
  return { secret, uri: (await generatorOf(secret, label)).toString() };
}

/** The address as a QR code, without the border that it needs. */
export async function pictureOf(uri: string): Promise<{ size: number; path: string }> {
  const { generate } = await import('lean-qr');
  const { toSvgPath } = await import('lean-qr/extras/svg');
  const code = generate(uri);
  return { size: code.size, path: toSvgPath(code) };
}

/** returns  the step of thirty seconds this code is of: the running one or the one before; null: of neither */
export async function stepOf(secret: string, code: string, nowMs: number): Promise<number | null> {
  const delta = (await generatorOf(secret, '')).validate({ token: code, timestamp: nowMs, window: 1 });
  return delta === 0 || delta === -1 ? Math.floor(nowMs / STEP_MS) + delta : null;
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'; // no letter that looks like a digit

/** 125 random bits, in five groups to be written down. */
export function newRecoveryCode(): string {
  const signs = [...randomBytes(25)].map((byte) => ALPHABET[byte & 31]!).join('');
  return signs.match(/.{5}/g)!.join('-');
}
export const recoveryHash = (typed: string): Buffer => hashOf(typed.toUpperCase().replace(/[^0-9A-Z]/g, ''));

export interface SecondFactor {
  code?: string | undefined;
  recoveryCode?: string | undefined;
}

/** Uses it up: a code or recovery code that fitted once fits nobody again. returns  by which it was proved; null: by none */
export async function useSecondFactor(
  db: Db,
  vault: Vault,
  { userId }: User,
  { code, recoveryCode }: SecondFactor,
): Promise<'totp' | 'recovery' | null> {
  if (recoveryCode)
    return (await useRecoveryCode(db, userId, recoveryHash(recoveryCode))) ? 'recovery' : null;
  const totp = code ? await findTotp(db, userId) : null;
  if (!totp?.confirmedAt) return null;
  const secret = await vault.open(db, totp, placeOfTotp(totp.factorId));
  const step = secret === null ? null : await stepOf(secret, code!, Date.now());
  return step !== null && (await useStep(db, totp.factorId, step)) ? 'totp' : null;
}

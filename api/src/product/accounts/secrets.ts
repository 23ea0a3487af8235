// Secrets that we give away once and keep only as a hash: keys, sessions, links. 256 random bits, so SHA-256 is enough.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 43 characters, safe in an address and in a header. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export const isSecretOf = (secret: string, hash: Buffer): boolean => {
  const given = hashOf(secret);
  return given.length === hash.length && timingSafeEqual(given, hash);
};

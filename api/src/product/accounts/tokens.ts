// Access tokens of programs: signed, ten minutes long, and worth nothing without the session they name. The library is loaded
// where somebody uses one.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { isUuid } from '../../ground/lib/uuid.ts';
import type { Keyring } from './keyring.ts';

export const ACCESS_SECONDS = 600;
const ALGORITHM = 'EdDSA';
const TYPE = 'at+jwt'; // RFC 9068: no other token passes for one
const AUDIENCE = 'marketing-api';
/** RFC 8410: what stands before the 32 bytes of an Ed25519 key. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface Named {
  userId: string;
  sessionId: string;
}
export interface Tokens {
  sign(session: Named): Promise<string>;
  /** returns  null when it is not signed by us, not for us, or has run out */
  read(token: string): Promise<Named | null>;
}

/** The keyring's first key signs, the others still verify: tokens outlive a rotation. issuer  where this installation is */
export function makeTokens({ wrapping }: Keyring, issuer: string): Tokens {
  const keys = new Map<string, KeyObject>();
  /** By the name that the header says; it chooses among ours and brings none. */
  function keyOf(kid: string): KeyObject | undefined {
    const found = wrapping.find(({ fingerprint }) => fingerprint === kid);
    if (found && !keys.has(kid)) {
      const der = Buffer.concat([PKCS8, found.tokenSeed]);
      keys.set(kid, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    }
    return keys.get(kid);
  }
  return {
    async sign({ userId, sessionId }) {
      const { SignJWT } = await import('jose');
      const kid = wrapping[0].fingerprint;
      return new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setIssuedAt()
        .setExpirationTime(`${ACCESS_SECONDS}s`)
        .sign(keyOf(kid)!);
    },
    async read(token) {
      const { errors, jwtVerify } = await import('jose');
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid = '' }) => {
            const key = keyOf(kid);
            if (!key) throw new errors.JOSEError('no key of ours');
            return createPublicKey(key);
          },
          {
            algorithms: [ALGORITHM],
            typ: TYPE,
            issuer,
            audience: AUDIENCE,
            requiredClaims: ['sub', 'sid', 'exp', 'iat'],
            maxTokenAge: ACCESS_SECONDS,
          },
        );
        const { sub: userId, sid: sessionId } = payload;
        return typeof sessionId === 'string' && userId && isUuid(userId) && isUuid(sessionId)
          ? { userId, sessionId }
          : null;
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
  };
}

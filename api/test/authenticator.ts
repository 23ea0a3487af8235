// A device that makes and uses passkeys, with a key of its own: what it says can be false in one place and still rightly signed.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest();
const b64 = (data: Buffer) => data.toString('base64url');

type Cbor = number | string | Buffer | Map<number | string, Cbor>;
/** As much of RFC 8949 as an attestation needs. */
function cbor(value: Cbor): Buffer {
  const head = (major: number, length: number) =>
    length < 24
      ? Buffer.from([(major << 5) | length])
      : length < 256
        ? Buffer.from([(major << 5) | 24, length])
        : Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, one]) => [cbor(key), cbor(one)])]);
}

/** What it says; each may be another's than it should be. */
export interface Says {
  type?: string;
  challenge?: string;
  origin?: string;
  crossOrigin?: boolean;
  rpId?: string;
  /** Bits: 1 the person was there, 4 they were verified, 64 a new key follows. */
  flags?: number;
  counter?: number;
  userHandle?: string | null;
  /** After it was signed. */
  signature?: string;
  id?: string;
}

export interface Authenticator {
  id: string;
  /** For the body of POST /v1/users/me/passkeys. */
  create(options: { challenge: string; user: { id: string } }, says?: Says): object;
  /** For the body of POST /v1/auth/passkey. */
  use(options: { challenge: string }, says?: Says): object;
}

/** At the page of an origin. counts  whether it says how often it signed, as keys on a ring do and telephones don't */
export function makeAuthenticator(origin: string, counts = true): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(32);
  const ownRpId = new URL(origin).hostname;
  let handle: string | null = null;
  let counter = 0;
  const client = (type: string, challenge: string, says: Says) =>
    Buffer.from(
      JSON.stringify({
        type: says.type ?? type,
        challenge: says.challenge ?? challenge,
        origin: says.origin ?? origin,
        crossOrigin: says.crossOrigin ?? false,
      }),
    );
  const head = (flags: number, says: Says) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(says.counter ?? counter);
    return Buffer.concat([sha256(says.rpId ?? ownRpId), Buffer.from([says.flags ?? flags]), count]);
  };
  const named = (says: Says) => ({ id: says.id ?? b64(id), rawId: says.id ?? b64(id), type: 'public-key' });
  return {
    id: b64(id),
    create({ challenge, user }, says = {}) {
      handle = user.id;
      const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string };
      const key = cbor(
        new Map<number, Cbor>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, Buffer.from(x, 'base64url')],
          [-3, Buffer.from(y, 'base64url')],
        ]),
      );
      const authData = Buffer.concat([
        head(1 | 4 | 64, says),
        Buffer.alloc(16),
        Buffer.from([0, id.length]),
        id,
        key,
      ]);
      const object = cbor(
        new Map<string, Cbor>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', authData],
        ]),
      );
      return {
        ...named(says),
        response: {
          clientDataJSON: b64(client('webauthn.create', challenge, says)),
          attestationObject: b64(object),
          transports: ['internal'],
        },
      };
    },
    use({ challenge }, says = {}) {
      if (counts) counter += 1;
      const clientData = client('webauthn.get', challenge, says);
      const authData = head(1 | 4, says);
      const signature = sign('sha256', Buffer.concat([authData, sha256(clientData)]), privateKey);
      return {
        ...named(says),
        response: {
          clientDataJSON: b64(clientData),
          authenticatorData: b64(authData),
          signature: says.signature ?? b64(signature),
          userHandle: says.userHandle === undefined ? handle : says.userHandle,
        },
      };
    },
  };
}

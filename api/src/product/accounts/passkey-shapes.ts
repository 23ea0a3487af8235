// Shapes of passkeys at the door: as WebAuthn says them in JSON, which browsers read and write by themselves.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';

const bytes = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url');
const credential = { id: bytes(1400), rawId: bytes(1400), type: z.literal('public-key') };
/** How a device is reached; a browser may know more of them than we do. */
const transports = z.array(z.string().max(32)).max(10);

export const attestation = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: bytes(4096),
      attestationObject: bytes(12_000),
      transports: transports.optional(),
    }),
  })
  .meta({ id: 'NewPasskeyResponse' });
export const assertion = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: bytes(4096),
      authenticatorData: bytes(4096),
      signature: bytes(2048),
      userHandle: bytes(128).nullish(),
    }),
  })
  .meta({ id: 'PasskeyResponse' });
export type Attestation = z.output<typeof attestation>;
export type Assertion = z.output<typeof assertion>;

const named = z.object({
  id: z.string(),
  type: z.literal('public-key'),
  transports: z.array(z.string()).optional(),
});
export const creationOptions = z
  .object({
    challenge: z.string(),
    rp: z.object({ name: z.string(), id: z.string() }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.object({ alg: z.int(), type: z.literal('public-key') })),
    timeout: z.int(),
    attestation: z.string(),
    excludeCredentials: z.array(named),
    authenticatorSelection: z.object({
      residentKey: z.string(),
      requireResidentKey: z.boolean(),
      userVerification: z.string(),
    }),
  })
  .describe('for PublicKeyCredential.parseCreationOptionsFromJSON and navigator.credentials.create')
  .meta({ id: 'NewPasskeyOptions' });
export const requestOptions = z
  .object({ challenge: z.string(), rpId: z.string(), timeout: z.int(), userVerification: z.string() })
  .describe('for PublicKeyCredential.parseRequestOptionsFromJSON and navigator.credentials.get')
  .meta({ id: 'PasskeyOptions' });

export const passkeyName = z.string().trim().min(1).max(100).describe('what the person calls it');
/** In the place of a password. */
export const signUpPasskey = z
  .object({
    name: passkeyName,
    userHandle: bytes(22).length(22).describe('user.id of the options'),
    response: attestation,
  })
  .meta({ id: 'SignUpPasskey' });
export type SignUpPasskey = z.output<typeof signUpPasskey>;
export const passkeyShape = z
  .object({ passkeyId: z.uuid(), name: z.string(), createdAt: utc, usedAt: utc.nullable() })
  .meta({ id: 'Passkey' });

// Passkeys in the browser: what the API asks for and takes is JSON, what the browser makes is not.
import { ask } from './ask.ts';

type Kind = 'Creation' | 'Request';
interface Parsing {
  parseCreationOptionsFromJSON(options: unknown): PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON(options: unknown): PublicKeyCredentialRequestOptions;
}

export const knowsPasskeys = (): boolean =>
  typeof PublicKeyCredential === 'function' && 'parseCreationOptionsFromJSON' in PublicKeyCredential;

const parsing = () => PublicKeyCredential as unknown as Parsing;
const toJSON = (made: Credential | null): unknown => (made as PublicKeyCredential).toJSON();

/** What the device signed; null when its person thought better of it. */
async function signed(kind: Kind, options: unknown): Promise<unknown> {
  try {
    return toJSON(
      kind === 'Creation'
        ? await navigator.credentials.create({ publicKey: parsing().parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: parsing().parseRequestOptionsFromJSON(options) }),
    );
  } catch (error) {
    if ((error as Error).name === 'NotAllowedError' || (error as Error).name === 'InvalidStateError')
      return null;
    throw error;
  }
}

/** Signs in, or proves who it is. returns  false when the person broke it off. throws  Refusal */
export async function usePasskey(path: '/v1/auth/passkey' | '/v1/auth/prove/passkey'): Promise<boolean> {
  const { options } = await ask<{ options: unknown }>('/v1/auth/passkey/options', { method: 'POST' });
  const response = await signed('Request', options);
  if (response) await ask(path, { body: { response } });
  return response !== null;
}

/** returns  recovery codes, when there were none; null otherwise, and false when the person broke it off. throws  Refusal */
export async function makePasskey(name: string): Promise<string[] | null | false> {
  const { options } = await ask<{ options: unknown }>('/v1/users/me/passkeys/options', { method: 'POST' });
  const response = await signed('Creation', options);
  if (!response) return false;
  const made = await ask<{ recoveryCodes: string[] | null }>('/v1/users/me/passkeys', {
    body: { name, response },
  });
  return made.recoveryCodes;
}

export interface Joining {
  inviteToken: string;
  email?: string;
  fullName: string;
  language: 'en' | 'fr';
  timeZone: string;
}

/** Makes an account whose first way in is a passkey. returns  its recovery codes; null when the person broke it off. throws  Refusal */
export async function joinByPasskey(who: Joining, name: string): Promise<string[] | null> {
  const { language: _, timeZone: __, ...asked } = who;
  const { options } = await ask<{ options: { user: { id: string } } }>('/v1/auth/signup/options', {
    body: asked,
  });
  const response = await signed('Creation', options);
  if (!response) return null;
  const passkey = { name, userHandle: options.user.id, response };
  return (await ask<{ recoveryCodes: string[] }>('/v1/auth/signup', { body: { ...who, passkey } }))
    .recoveryCodes;
}

// Checks a receipt's signature in this browser, with the public key alone: nobody has to take the server's word for it.
import { canonical } from '../../../proof/canonical.ts';
import type { Receipt } from '../../../proof/receipts.ts';
import { ask } from './ask.ts';

interface Keys {
  keys: { kid: string; x: string }[];
}
const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));

/** returns  null where this browser cannot tell: it knows no Ed25519, or the page came without TLS. throws  Refusal */
export async function isWhole({ signature, keyId, ...signed }: Receipt): Promise<boolean | null> {
  const { keys } = await ask<Keys>('/.well-known/proof-keys.json');
  const named = keys.find(({ kid }) => kid === keyId);
  if (!named) return false;
  try {
    const key = await crypto.subtle.importKey('raw', bytesOf(named.x), 'Ed25519', false, ['verify']);
    const text = new TextEncoder().encode(canonical(signed));
    return await crypto.subtle.verify('Ed25519', key, bytesOf(signature), text);
  } catch {
    return null;
  }
}

// What an address is: as typed, and the one spelling by which a lead is known. Pure.
import { domainToASCII } from 'node:url';

export interface Address {
  /** As typed, trimmed. */
  email: string;
  /** Trimmed, NFC, lower-case, domain in ASCII; dots and plus signs stay, since only the mailbox's owner knows what they mean. */
  normalized: string;
  domain: string;
}

export const EMAIL_LENGTH_MAX = 320;
const LOCAL_BYTES_MAX = 64 * 4;
// Quoted local parts and comments are legal and never typed into a form on purpose.
const LOCAL = /^[^\s\p{Cc}\p{Cf}@"(),:;<>[\]\\]+$/u;
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;

/** returns null for what cannot be an address that mail is delivered to */
export function readAddress(typed: string): Address | null {
  const email = typed.trim().normalize('NFC');
  const at = email.lastIndexOf('@');
  if (at < 1 || email.length > EMAIL_LENGTH_MAX) return null;
  // lower-casing can decompose (İ), so NFC comes again
  const local = email.slice(0, at).toLowerCase().normalize('NFC');
  const host = email.slice(at + 1);
  // domainToASCII reads its argument like a URL's host and would cut a path off
  const domain = /[\s\p{Cc}/?#:\\%[\]]/u.test(host) ? '' : domainToASCII(host).toLowerCase();
  if (!LOCAL.test(local) || Buffer.byteLength(local) > LOCAL_BYTES_MAX || !DOMAIN.test(domain)) return null;
  return { email, normalized: `${local}@${domain}`, domain };
}

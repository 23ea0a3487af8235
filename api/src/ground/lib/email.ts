// What an address is: as typed, and the one spelling by which a lead is known. Pure.
import { domainToASCII } from 'node:url';

export interface Address {
  /** As typed, without what can't be seen and what was only pasted along. */
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

// Zero-width characters, marks of direction, soft hyphens, byte order marks, selectors of glyphs, tabs, other blanks than
// the space bar's: pasted along, and in no mailbox's name. A space or a line end inside is a fault one can see.
const UNSEEN =
  /(?![\u200c\u200d])[\p{Cf}\p{Default_Ignorable_Code_Point}\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu;
const JOINERS = /[\u200c\u200d]/g; // judged with the domain they are in
const PASTED_BEFORE = /^[\s"“”„«»‹›‘(<[]+/u;
const PASTED_AFTER = /[\s.,;:!?"“”«»‹›’')>\]]+$/u;

/** The address in what was typed or pasted: `mailto:`, a name before <…>, quotes and the sentence's full stop are taken off. */
function pasted(typed: string): string {
  const named = /^[^<>]*<([^<>]+)>[\s.,;]*$/.exec(typed)?.[1] ?? typed;
  let text = named.replace(PASTED_BEFORE, '').replace(PASTED_AFTER, '');
  if (/^'.*'$/.test(named.trim())) text = text.slice(1); // an apostrophe alone may be the name's own
  if (/^mailto:/i.test(text)) text = text.slice('mailto:'.length).split('?', 1)[0]!.trim();
  return text.includes('@') ? text : text.replace('\uff20', '@');
}

/** The domain as typed and in ASCII ('' when it can be none). Between letters of some scripts a joiner is part of a name: only where it can't be, it goes. */
function readDomain(host: string): { host: string; domain: string } {
  // domainToASCII reads its argument like a URL's host and would cut a path off
  if (/[\s\p{Cc}/?#:\\%[\]]/u.test(host)) return { host, domain: '' };
  const domain = domainToASCII(host);
  if (domain || host.search(JOINERS) < 0) return { host, domain: domain.toLowerCase() };
  return readDomain(host.replaceAll(JOINERS, ''));
}

/** returns null for what cannot be an address that mail is delivered to */
export function readAddress(typed: string): Address | null {
  const text = pasted(typed.normalize('NFC').replaceAll(UNSEEN, ''));
  const at = text.lastIndexOf('@');
  if (at < 1) return null;
  const name = text.slice(0, at).replaceAll(JOINERS, '');
  // lower-casing can decompose (İ), so NFC comes again
  const local = name.toLowerCase().normalize('NFC');
  const { host, domain } = readDomain(text.slice(at + 1));
  const email = `${name}@${host}`;
  if (email.length > EMAIL_LENGTH_MAX || Buffer.byteLength(local) > LOCAL_BYTES_MAX) return null;
  return LOCAL.test(local) && DOMAIN.test(domain)
    ? { email, normalized: `${local}@${domain}`, domain }
    : null;
}

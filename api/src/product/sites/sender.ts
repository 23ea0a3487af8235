// Who a site is to the people it writes to: its name, postal address and one way to reach it, as CASL asks for them.
import type { Site } from '../../ground/site.ts';

export interface Sender {
  name: string;
  address: string | null;
  contact: string | null;
}

/** What the operator said for every site that does not say it itself. */
export interface SenderDefaults {
  /** MAIL_SENDER: name and postal address in one line. */
  sender: string | undefined;
  /** PRIVACY_CONTACT_EMAIL, else MAIL_FROM. */
  contact: string | undefined;
}

export function senderOf(
  { name, key, settings }: Pick<Site, 'name' | 'key' | 'settings'>,
  { sender, contact }: SenderDefaults,
): Sender {
  const own = (setting: string) =>
    typeof settings[setting] === 'string' ? (settings[setting] as string) : undefined;
  return {
    name: own('senderName') ?? (name || key),
    address: own('senderAddress') ?? sender ?? null,
    contact: own('senderContact') ?? contact ?? null,
  };
}

/** Of the privacy policy in force; undefined: the site does not say. */
export const policyVersionOf = ({ settings }: Pick<Site, 'settings'>): string | undefined =>
  typeof settings.policyVersion === 'string' ? settings.policyVersion : undefined;

/** In one line, without what is not known. */
export const senderLine = ({ name, address, contact }: Sender): string =>
  [name, address, contact].filter(Boolean).join(', ');

// The only place where a user's address and name are opened: for themselves, for who may see people, for who holds a link to join,
// and for our own mails.
import type { Db } from '../../ground/db/pool.ts';
import type { Caller } from '../../ground/http/caller.ts';
import type { Link } from './link-queries.ts';
import type { Sealed, Vault } from './vault.ts';

export interface SealedPerson {
  userId: string;
  email: Sealed;
  fullName: Sealed;
}

const place = (column: string, userId: string) => `users.${column} ${userId}`;
export const placeOfEmail = (userId: string) => place('email_encrypted', userId);
export const placeOfInvited = (linkId: string) => `one_time_links.email_encrypted ${linkId}`;
export const placeOfFullName = (userId: string) => place('full_name_encrypted', userId);

function mustMayRead({ userId }: SealedPerson, reader: Caller): void {
  if (reader.person?.userId !== userId && !reader.may('people'))
    throw new Error(`${reader.actor} may not read who ${userId} is`);
}

/**
 * reader   who will see it; the frame writes every such look into the audit log
 * returns  null when the keyring of then is missing (a restore without it)
 * throws   when the reader may not: a fault of ours, since their route must not have come here
 */
export async function userEmail(
  db: Db,
  vault: Vault,
  person: SealedPerson,
  reader: Caller,
): Promise<string | null> {
  mustMayRead(person, reader);
  return vault.open(db, person.email, placeOfEmail(person.userId));
}

/** As userEmail. */
export async function userFullName(
  db: Db,
  vault: Vault,
  person: SealedPerson,
  reader: Caller,
): Promise<string | null> {
  mustMayRead(person, reader);
  return vault.open(db, person.fullName, placeOfFullName(person.userId));
}

/** The address that a link is for, for whoever holds the link, or may see people. returns  as userEmail; null too where none is named */
export const linkEmail = async (
  db: Db,
  vault: Vault,
  { linkId, emailSealed, emailKeyId }: Pick<Link, 'linkId' | 'emailSealed' | 'emailKeyId'>,
): Promise<string | null> =>
  emailSealed && emailKeyId
    ? vault.open(db, { keyId: emailKeyId, sealed: emailSealed }, placeOfInvited(linkId))
    : null;

export async function sealPerson(
  db: Db,
  vault: Vault,
  userId: string,
  { email, fullName }: { email: string; fullName: string },
): Promise<SealedPerson> {
  return {
    userId,
    email: await vault.seal(db, email, placeOfEmail(userId)),
    fullName: await vault.seal(db, fullName, placeOfFullName(userId)),
  };
}

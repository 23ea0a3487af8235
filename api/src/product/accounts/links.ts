// Links that work once: who has one may set up the first account, join, or choose a new password. The token stands behind
// the # of the address, which no server ever sees and no log holds.
import type { Db, Pool } from '../../ground/db/pool.ts';
import type { Role } from '../../ground/http/roles.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type AuthEvent, noteAuth, noteRefusal } from './events.ts';
import { newId } from './ids.ts';
import { inAccounts } from './in-accounts.ts';
import { endLinks, findLink, findSpentLink, insertLink, type Link, type LinkKind } from './link-queries.ts';
import { placeOfInvited } from './pii.ts';
import { hashOf, newSecret } from './secrets.ts';
import type { Sealed, Vault } from './vault.ts';

const MINUTES = { setup: 24 * 60, invitation: 7 * 24 * 60, reset: 10, email: 60 } as const;
const PAGES = { setup: 'setup', invitation: 'join', reset: 'reset', email: 'email' } as const;

/** publicUrl  undefined: what is asked of an installation that does not know its name; a path then */
export const addressOf = (publicUrl: string | undefined, kind: LinkKind, token: string): string =>
  `${publicUrl?.replace(/\/$/, '') ?? ''}/app/#/${PAGES[kind]}/${token}`;

/** One at a time: a new one ends those that were made before and not used. */
export async function makeSetupLink(db: Db, actor: string): Promise<string> {
  await endLinks(db, { kind: 'setup' });
  const token = newSecret();
  await insertLink(db, {
    linkId: await newId(db),
    kind: 'setup',
    tokenHash: hashOf(token),
    role: 'owner',
    madeBy: actor,
    minutes: MINUTES.setup,
  });
  await noteAuth(db, { kind: 'setup_link_made', userId: null, actor });
  return token;
}

/** email  sealed into the link when it is given: then nobody joins with another one */
export async function makeInvitation(
  db: Db,
  vault: Vault,
  invited: { email: string | undefined; role: Role; siteIds: readonly string[] | null; madeBy: string },
): Promise<{ token: string; link: Link }> {
  const token = newSecret();
  const linkId = await newId(db);
  const email: Sealed | undefined = invited.email
    ? await vault.seal(db, invited.email, placeOfInvited(linkId))
    : undefined;
  const link = await insertLink(db, {
    linkId,
    kind: 'invitation',
    tokenHash: hashOf(token),
    role: invited.role,
    siteIds: invited.siteIds,
    email,
    madeBy: invited.madeBy,
    minutes: MINUTES.invitation,
  });
  return { token, link };
}

/** minutes  default 10; what the operator prints on the machine lives longer. Ends those asked for before. */
export async function makeResetLink(
  db: Db,
  userId: string,
  actor: string,
  minutes: number = MINUTES.reset,
): Promise<string> {
  await endLinks(db, { kind: 'reset', userId });
  const token = newSecret();
  await insertLink(db, {
    linkId: await newId(db),
    kind: 'reset',
    tokenHash: hashOf(token),
    userId,
    madeBy: actor,
    minutes,
  });
  return token;
}

/** A new address of an account, which counts once the mail to it was answered. Ends those asked for before. */
export async function makeEmailLink(db: Db, vault: Vault, userId: string, email: string): Promise<string> {
  await endLinks(db, { kind: 'email', userId });
  const token = newSecret();
  const linkId = await newId(db);
  await insertLink(db, {
    linkId,
    kind: 'email',
    tokenHash: hashOf(token),
    userId,
    email: await vault.seal(db, email, placeOfInvited(linkId)),
    madeBy: `user:${userId}`,
    minutes: MINUTES.email,
  });
  return token;
}

export const spent = () =>
  new AppError('not_found', 'This link was used already, has run out, or never was. Ask for a new one.');

/** Before anything costs time for it. throws  not_found */
export async function liveLink(db: Db, token: string, kinds: readonly LinkKind[]): Promise<Link> {
  const link = await findLink(db, hashOf(token), kinds);
  if (!link) throw spent();
  return link;
}

/**
 * Work that a link opens; a link of ours that opened nothing, because it was used or has run out, is an event. A token that never
 * was one is not: it names nobody, and strangers could write as many as they like.
 */
export async function byLink<T>(
  pool: Pool,
  token: string,
  event: Pick<AuthEvent, 'kind' | 'requestId'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') {
      const link = await inAccounts(pool, (tx) => findSpentLink(tx, hashOf(token)));
      if (link)
        await noteRefusal(pool, { ...event, method: link.kind, userId: link.userId, actor: 'nobody' });
    }
    throw error;
  }
}

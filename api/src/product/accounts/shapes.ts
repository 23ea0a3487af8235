// Shapes of users at the door.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import type { Caller } from '../../ground/http/caller.ts';
import { utc } from '../../ground/http/fields.ts';
import { SITE_ROLES } from '../../ground/http/roles.ts';
import { readAddress } from '../../ground/lib/email.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { secondFactorDue } from './person.ts';
import { userEmail, userFullName } from './pii.ts';
import type { User } from './queries.ts';
import type { Session } from './session-queries.ts';
import type { Vault } from './vault.ts';

export const siteRole = z.enum(SITE_ROLES);
export const role = z.enum(['owner', ...SITE_ROLES]).describe('an owner is one at every site');
export const language = z.enum(['en', 'fr']);
export const fullName = z.string().trim().min(1).max(200);
export const timeZone = z.string().refine((name) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}, 'must be a time zone such as America/Toronto');
/** As typed; what it becomes is what the account is found by. */
export const email = z
  .string()
  .max(400)
  .transform((typed, context) => {
    const address = readAddress(typed);
    if (address) return address;
    context.addIssue({ code: 'custom', message: 'must be an email address' });
    return z.NEVER;
  });
/** The same in the document, where what is taken is a text. */
export const typedEmail = z.string().max(400).describe('an email address');
/** Of an app; spaces are taken. */
export const code = z
  .string()
  .max(20)
  .transform((typed) => typed.replace(/\s/g, ''))
  .pipe(z.string().regex(/^\d{6}$/, 'must be six digits'));
/** What is proved beside the password, by who has a second factor. */
export const secondFactor = {
  code: code.optional().describe('of the app, where a second factor is set up'),
  recoveryCode: z.string().max(60).optional().describe('in its place'),
};
export const token = z.string().length(43).describe('of the link, after its last slash');

export const userShape = z
  .object({
    userId: z.uuid(),
    email: z.string().nullable().describe('null: sealed under a keyring that is not here'),
    fullName: z.string().nullable(),
    isOwner: z.boolean(),
    grants: z
      .array(z.object({ siteId: z.uuid(), key: z.string(), role: siteRole }))
      .describe('what they are at which of the caller’s sites; an owner is one at all'),
    secondFactor: z.boolean().describe('codes of an app, or a passkey'),
    oidc: z.boolean().describe('another provider signs them in too'),
    secondFactorDue: utc.nullable().describe('without one until then, their role opens nothing after it'),
    language,
    timeZone: z.string(),
    createdAt: utc,
    disabledAt: utc.nullable(),
  })
  .meta({ id: 'User' });
export type ShownUser = z.output<typeof userShape>;

export const sessionShape = z
  .object({
    sessionId: z.uuid(),
    kind: z.enum(['browser', 'token']).describe('token: of a program that signed in as this person'),
    device: z.string(),
    createdAt: utc,
    seenAt: utc.describe('noted every five minutes'),
    provedAt: utc.describe('when who it is was last proved'),
    expiresAt: utc,
    isThis: z.boolean(),
  })
  .meta({ id: 'Session' });

const told = (at: Date | null) => at?.toISOString() ?? null;

/** Seen by `reader`: what somebody is at sites that are not the reader's stays unsaid. */
export async function showUser(
  db: Db,
  { vault, sites }: { vault: Vault; sites: SiteDirectory },
  user: User,
  reader: Caller,
): Promise<z.output<typeof userShape>> {
  const seen = (siteId: string) =>
    reader.person?.userId === user.userId || reader.siteIds === 'all' || reader.may('people', siteId);
  return {
    userId: user.userId,
    email: await userEmail(db, vault, user, reader),
    fullName: await userFullName(db, vault, user, reader),
    isOwner: user.isOwner,
    grants: user.grants.flatMap(({ siteId, role: at }) => {
      const site = sites.find(siteId);
      return site && seen(siteId) ? [{ siteId, key: site.key, role: at }] : [];
    }),
    secondFactor: user.hasSecondFactor,
    oidc: user.hasIdentity,
    secondFactorDue: told(secondFactorDue(user)),
    language: user.language,
    timeZone: user.timeZone,
    createdAt: user.createdAt.toISOString(),
    disabledAt: told(user.disabledAt),
  };
}

export const showSession = (session: Session, currentId: string | undefined) => ({
  sessionId: session.sessionId,
  kind: session.kind,
  device: session.device,
  createdAt: session.createdAt.toISOString(),
  seenAt: session.seenAt.toISOString(),
  provedAt: session.provedAt.toISOString(),
  expiresAt: session.expiresAt.toISOString(),
  isThis: session.sessionId === currentId,
});

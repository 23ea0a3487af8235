// Who joins, and as what: /v1/invitations. There is no other way to an account but the machine's.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { nextCursor, pageOf, paging, propertyId, readCursor, utc } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import type { Role } from '../../ground/http/roles.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { inAccounts } from './in-accounts.ts';
import { endLinks, type Link, listInvitations } from './link-queries.ts';
import { addressOf, makeInvitation } from './links.ts';
import { linkEmail } from './pii.ts';
import { mustHaveSeats } from './seats.ts';
import { email, language, role, typedEmail } from './shapes.ts';
import { reachOf, sitesNamed } from './sites-named.ts';

const invitationShape = z
  .object({
    invitationId: z.uuid(),
    role,
    siteIds: z.array(z.uuid()).nullable().describe('null: an owner’s, every site'),
    email: z.string().nullable().describe('null: whoever has the link'),
    madeBy: z.string(),
    createdAt: utc,
    expiresAt: utc,
  })
  .meta({ id: 'Invitation' });
export type Invitation = z.output<typeof invitationShape>;

const fields = {
  role,
  language: language.default('en').describe('of the mail to the address, where mails can be sent'),
  sites: z
    .array(propertyId)
    .min(1)
    .max(100)
    .optional()
    .describe('keys or ids; without them all of the caller’s. An owner has every site'),
};

async function shown(db: Db, accounts: Accounts, link: Link): Promise<Invitation> {
  return {
    invitationId: link.linkId,
    role: link.role!,
    siteIds: link.siteIds,
    email: await linkEmail(db, accounts.vault(), link),
    madeBy: link.madeBy,
    createdAt: link.createdAt.toISOString(),
    expiresAt: link.expiresAt.toISOString(),
  };
}

/** returns  null for an owner's. throws  forbidden, invalid_request with path sites */
async function sitesFor(
  accounts: Accounts,
  call: Call,
  wanted: { role: Role; sites?: string[] | undefined },
): Promise<readonly string[] | null> {
  if (wanted.role === 'owner') {
    if (reachOf(call) !== null) throw new AppError('forbidden', 'Only an owner makes an owner.');
    return null;
  }
  return wanted.sites ? sitesNamed(accounts.sites, wanted.sites, call) : call.siteIds;
}

export function invitationRoutes(accounts: Accounts): Route[] {
  const { db } = accounts;
  const common = { tag: 'users', who: 'people', of: 'all' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/invitations',
      id: 'listInvitations',
      says: 'Invitations that are still open, the newest first',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ invitations: z.array(invitationShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        return inAccounts(db, async (tx) => {
          const rows = await listInvitations(tx, reachOf(call), after, limit + 1);
          const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.linkId]);
          const invitations = [];
          for (const link of page) invitations.push(await shown(tx, accounts, link));
          return { invitations, nextCursor: next };
        });
      },
    }),
    route({
      ...common,
      at: 'POST /v1/invitations',
      id: 'inviteUser',
      says: 'Invites somebody: a link that works once within seven days, in this answer and nowhere else; 402 when the plan of a site has no seat left',
      proof: 'fresh',
      takes: {
        as: ['json'],
        bytesMax: 16 * 1024,
        shape: z.object({ ...fields, email: email.optional() }),
        documents: z
          .object({ ...fields, email: typedEmail.optional().describe('then only this address can join') })
          .meta({ id: 'NewInvitation' }),
      },
      answers: { 201: z.object({ invitation: invitationShape, link: z.string() }) },
      async run(wanted, call) {
        const siteIds = await sitesFor(accounts, call, wanted);
        const made = await inAccounts(db, async (tx) => {
          const invited = { ...wanted, email: wanted.email?.email, siteIds, madeBy: call.caller.actor };
          const { token, link } = await makeInvitation(tx, accounts.vault(), invited);
          await mustHaveSeats(tx, siteIds ?? []);
          const address = addressOf(accounts.publicUrl, 'invitation', token);
          if (wanted.email)
            await accounts.post.send(tx, {
              to: wanted.email.email,
              language: wanted.language,
              kind: 'invitation',
              link: address,
            });
          return { invitation: await shown(tx, accounts, link), link: address };
        });
        call.note({ target: made.invitation.invitationId, details: { role: wanted.role } });
        return created(made);
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/invitations/:invitationId',
      id: 'dropInvitation',
      says: 'Takes an invitation back',
      proof: 'fresh',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const linkId = call.params.invitationId!;
        const ended = await inAccounts(db, (tx) =>
          endLinks(tx, { kind: 'invitation', linkId, siteIds: reachOf(call) }),
        );
        if (ended === 0) throw new AppError('not_found', 'There is no open invitation with this id.');
        call.note({ target: linkId });
        return {};
      },
    }),
  ];
}

// Shared views: made and ended by a site's people, opened by whoever has the link.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { created, Reply } from '../../ground/http/reply.ts';
import { type Route, route, VIEWS, type View } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type SiteDirectory, timeZoneOf } from '../../ground/site.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { noteAuth, noteRefusal, TOO_MANY } from '../accounts/events.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { hashOf, newSecret } from '../accounts/secrets.ts';
import { isSegment } from '../segments/find.ts';
import { findLiveShare, insertShare, listShares } from './queries.ts';
import { revoke } from './revoke.ts';
import { newShare, SELECTING, sharedShape, shareShape } from './schema.ts';
import { UNLOCK_SECONDS, type Unlocked } from './unlocked.ts';
import { shareOf } from './way.ts';

const DAY_MS = 86_400_000;

export interface ShareNeeds {
  db: Pool;
  sites: SiteDirectory;
  accounts: Pick<Accounts, 'forgetJournal' | 'hasher' | 'mustHavePlace' | 'guard' | 'publicUrl'>;
}

/** throws  invalid_request with path expiresAt */
function expiryOf(wanted: string | undefined, now: number): Date {
  const at = wanted === undefined ? now + 30 * DAY_MS : Date.parse(wanted);
  if (at > now && at <= now + 366 * DAY_MS) return new Date(at);
  throw new AppError('invalid_request', 'A shared view ends within a year from now.', {
    issues: [{ path: 'expiresAt', message: 'must be after now, and at most a year away' }],
  });
}

/** throws  invalid_request: of all visits, or of one person's own segment, nothing is shared so */
async function checkSegment(
  db: Pool,
  siteId: string,
  segmentId: string,
  views: readonly View[],
): Promise<void> {
  if (!(await inSites(db, siteId, (tx) => isSegment(tx, siteId, segmentId))))
    throw new AppError('invalid_request', 'There is no segment of the site with this id.', {
      issues: [{ path: 'segmentId', message: 'no segment of scope site' }],
    });
  if (views.every((view) => SELECTING.includes(view))) return;
  throw new AppError('invalid_request', 'Some of these views are of all visits.', {
    issues: [{ path: 'views', message: `with a segment: ${SELECTING.join(', ')}` }],
  });
}

const unknown = () =>
  new AppError('not_found', 'This link is not known, has run out or was revoked. Ask whoever sent it.');

export const shareRoutes = (needs: ShareNeeds, unlocked: Unlocked): Route[] => [
  ...ofSite(needs),
  ...ofLink(needs, unlocked),
];

function ofSite({ db, accounts }: ShareNeeds): Route[] {
  const common = { tag: 'shares', who: 'settings', of: 'path' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/shares',
      id: 'listShares',
      says: 'Shared views of a site, the newest first',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ shares: z.array(shareShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        const rows = await inAccounts(db, (tx) => listShares(tx, call.site.siteId, after, limit + 1));
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.shareId]);
        return { shares: page, nextCursor: next };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/shares',
      id: 'createShare',
      says: 'Makes a link to some numbers of a site, for people without an account; in this answer and nowhere else',
      proof: 'fresh',
      takes: { as: ['json'], bytesMax: 8 * 1024, shape: newShare },
      answers: {
        201: z.object({
          share: shareShape,
          link: z.string(),
          embedLink: z
            .string()
            .nullable()
            .describe('what a frame on a page of one of the origins in embed shows; null: there are none'),
          token: z.string().describe('of the link, after its last slash: sent as x-share-token'),
        }),
      },
      async run({ password, expiresAt, segmentId = null, views: wantedViews, ...wanted }, call) {
        const shownViews = wantedViews ?? (segmentId ? SELECTING : VIEWS);
        if (segmentId) await checkSegment(db, call.site.siteId, segmentId, shownViews);
        const token = newSecret();
        const passwordPhc = password === undefined ? null : await accounts.hasher().hash(password);
        const share = await inAccounts(db, (tx) =>
          insertShare(tx, {
            ...wanted,
            views: [...new Set(shownViews)],
            segmentId,
            embed: [...new Set(wanted.embed)],
            siteId: call.site.siteId,
            tokenHash: hashOf(token),
            passwordPhc,
            madeBy: call.caller.actor,
            expiresAt: expiryOf(expiresAt, call.receivedMs),
          }),
        );
        call.note({ target: share.shareId, details: { views: share.views, embed: share.embed, segmentId } });
        const app = `${accounts.publicUrl?.replace(/\/$/, '') ?? ''}/app/`;
        const secret = `#/share/${token}`;
        const embedLink = share.embed.length > 0 ? `${app}embed/${share.shareId}${secret}` : null;
        return created({ share, link: app + secret, embedLink, token });
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/sites/:siteId/shares/:shareId',
      id: 'revokeShare',
      says: 'Ends a shared view at once',
      answers: { 200: z.object({ share: shareShape }) },
      async run(_input, call) {
        const share = await revoke(db, call.site.siteId, call.params.shareId!, accounts.forgetJournal);
        if (!share) throw new AppError('not_found', 'There is no shared view with this id.');
        call.note({ target: share.shareId });
        return { share };
      },
    }),
  ];
}

function ofLink({ db, sites, accounts }: ShareNeeds, unlocked: Unlocked): Route[] {
  const common = { tag: 'shares', who: 'anyone' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/shares/mine',
      id: 'getShare',
      says: 'What the link shows whose token is sent as x-share-token',
      answers: { 200: z.object({ share: sharedShape }) },
      async run(_input, call) {
        const share = await shareOf(db, unlocked, call);
        const site = share && sites.find(share.siteId);
        if (!share || !site) throw unknown();
        const { shareId, name, views, hideMoney, expiresAt } = share;
        const shown = { key: site.key, name: site.name || site.key, timeZone: timeZoneOf(site) };
        const body = { share: { shareId, name, views, hideMoney, expiresAt, site: shown } };
        return new Reply(200, body, { 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' });
      },
    }),
    route({
      ...common,
      at: 'POST /v1/shares/unlock',
      id: 'unlockShare',
      says: 'Says the password of a shared view; good for twelve hours',
      takes: {
        as: ['json'],
        bytesMax: 4096,
        shape: z
          .object({ shareToken: z.string().length(43), password: z.string().max(256) })
          .meta({ id: 'ShareUnlock' }),
      },
      mustHavePlace: accounts.mustHavePlace,
      answers: { 200: z.object({ unlockToken: z.string(), expiresIn: z.int().describe('seconds') }) },
      async run({ shareToken, password }, call) {
        const share = await inAccounts(db, (tx) => findLiveShare(tx, hashOf(shareToken)));
        if (!share) throw unknown();
        const actor = `share:${share.shareId}`;
        const event = { kind: 'share_unlocked', userId: null, actor, requestId: call.id } as const;
        const { wasRight, fits } = await accounts.hasher().placed(async (verify) => {
          const right = await accounts.guard.attempt({
            network: call.client.limitKey,
            account: `share ${share.shareId}`,
            device: null,
            refused: () => noteRefusal(db, { ...event, method: TOO_MANY }),
          });
          return { wasRight: right, fits: await verify(password, share.passwordPhc) };
        });
        if (!fits) {
          await noteRefusal(db, { ...event, method: 'password' });
          throw new AppError('unauthorized', 'This is not the password of this view.');
        }
        await wasRight();
        await inAccounts(db, (tx) => noteAuth(tx, { ...event, method: 'password' }));
        const body = { unlockToken: unlocked.open(share.shareId), expiresIn: UNLOCK_SECONDS };
        return new Reply(200, body, { 'Cache-Control': 'no-store' });
      },
    }),
  ];
}

// Notifications of a site: made as drafts, changed by version, started, paused and ended.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion, versioned } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import { planHasRoom } from '../plans/use.ts';
import { tellFeed } from './feed-changed.ts';
import {
  changeNotification,
  countUnderLock,
  deleteDraft,
  findNotification,
  insertNotification,
  isUnderTest,
  listNotifications,
} from './queries.ts';
import {
  checkNotification,
  definedOf,
  NOTIFICATIONS_MAX,
  nextStatus,
  RUNNING_MAX,
  VERSIONS_MAX,
} from './rules.ts';
import {
  type Content,
  type Notification,
  type NotificationPatch,
  newNotification,
  notificationPatch,
  type Showing,
  shownNotification,
} from './schema.ts';
import { tellNotification } from './tell.ts';
import { templateExists } from './template-queries.ts';
import { unknownNotification } from './unknown.ts';

const BODY_BYTES_MAX = 64 * 1024;
const one = z.object({ notification: shownNotification });

/** What visitors see, as the room of proof knows it. */
export interface Showings {
  /** Of what is at work. isChanged: just now, so that it is looked at anew */
  showing(site: Site, isChanged?: boolean): Promise<ReadonlyMap<string, Showing>>;
}
export interface NotificationNeeds {
  db: Pool;
  feeds: Showings;
}

const RESTING: ReadonlySet<string> = new Set(['draft', 'paused', 'ended']);

/** With whether each shows, and why not. */
async function shown(feeds: Showings, site: Site, all: Notification[], isChanged = false) {
  const atWork = all.some(({ status }) => !RESTING.has(status))
    ? await feeds.showing(site, isChanged)
    : new Map();
  return all.map((one) => ({
    ...one,
    ...(RESTING.has(one.status)
      ? { showing: false, why: one.status as Showing['why'] }
      : (atWork.get(one.notificationId) ?? { showing: false, why: 'scheduled' as const })),
  }));
}

export function notificationRoutes({ db, feeds }: NotificationNeeds): Route[] {
  const common = { tag: 'notifications', who: 'settings', of: 'path', shows: 'no people' } as const;
  const changing = { tag: 'notifications', who: 'settings', of: 'path' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/notifications',
      id: 'listNotifications',
      says: 'Notifications of a site, the newest first',
      takes: { as: 'query', shape: z.object(paging(50, 100)) },
      answers: { 200: z.object({ notifications: z.array(shownNotification), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        const { siteId } = call.site;
        const rows = await inSites(db, siteId, (tx) => listNotifications(tx, siteId, after, limit + 1));
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.notificationId]);
        return { notifications: await shown(feeds, call.site, page), nextCursor: next };
      },
    }),
    route({
      ...changing,
      at: 'POST /v1/sites/:siteId/notifications',
      id: 'createNotification',
      says: 'Makes a draft; 422 unbacked_claim where a number is typed that nothing counts',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: newNotification },
      answers: { 201: one },
      async run({ kind, ...content }, call) {
        const { siteId } = call.site;
        checkNotification({ kind, ...content });
        const notification = await inSites(db, siteId, async (tx) => {
          const { all } = await countUnderLock(tx, siteId);
          if (all >= NOTIFICATIONS_MAX)
            throw new AppError(
              'conflict',
              `A site has at most ${NOTIFICATIONS_MAX} notifications that are not over. End or delete one first.`,
            );
          await knownTemplate(tx, siteId, content.templateId);
          const made = await insertNotification(tx, siteId, kind, content, call.caller.actor);
          await tellNotification(tx, siteId, made);
          return made;
        });
        call.note({ target: notification.notificationId, details: { kind } });
        const [made] = await shown(feeds, call.site, [notification]);
        return versioned(notification.version, { notification: made }, 201);
      },
    }),
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/notifications/:notificationId',
      id: 'getNotification',
      says: 'Shows a notification; its ETag is its version',
      answers: { 200: one },
      async run(_input, call) {
        const { siteId } = call.site;
        const found = await inSites(db, siteId, (tx) =>
          findNotification(tx, siteId, call.params.notificationId!),
        );
        if (!found) throw unknownNotification();
        const [one] = await shown(feeds, call.site, [found]);
        return versioned(found.version, { notification: one });
      },
    }),
    route({
      ...changing,
      at: 'PATCH /v1/sites/:siteId/notifications/:notificationId',
      id: 'updateNotification',
      says: 'Changes what is named, as a whole, or its status; needs If-Match with its version',
      takes: { as: ['json'], bytesMax: BODY_BYTES_MAX, shape: notificationPatch },
      answers: { 200: one },
      async run(patch, call) {
        const { siteId } = call.site;
        call.note({ target: call.params.notificationId!, details: { changes: Object.keys(patch) } });
        const notification = await inSites(db, siteId, async (tx) => {
          const before = await findNotification(tx, siteId, call.params.notificationId!, true);
          if (!before) throw unknownNotification();
          checkVersion(call, before.version);
          return change(tx, siteId, before, patch, call.caller.actor, call.receivedMs);
        });
        const [changed] = await shown(feeds, call.site, [notification], true);
        return versioned(notification.version, { notification: changed });
      },
    }),
    route({
      ...changing,
      at: 'DELETE /v1/sites/:siteId/notifications/:notificationId',
      id: 'deleteNotification',
      says: 'Deletes a draft; what ran once is ended instead',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const { siteId } = call.site;
        const { notificationId } = call.params;
        call.note({ target: notificationId! });
        await inSites(db, siteId, async (tx) => {
          const found = await findNotification(tx, siteId, notificationId!, true);
          if (!found) throw unknownNotification();
          checkVersion(call, found.version);
          if (found.status !== 'draft')
            throw new AppError('conflict', 'Only a draft is deleted. End it: {"status":"ended"}.');
          if (await isUnderTest(tx, siteId, notificationId!))
            throw new AppError('conflict', 'A test of it runs. Stop the test first.');
          await deleteDraft(tx, siteId, notificationId!);
          await tellNotification(tx, siteId, { ...found, status: 'deleted' });
        });
        return {};
      },
    }),
  ];
}

async function knownTemplate(db: Db, siteId: string, templateId: string | null): Promise<void> {
  if (templateId === null || (await templateExists(db, siteId, templateId))) return;
  throw new AppError('invalid_request', 'This site has no template with this id.', {
    issues: [{ path: 'templateId', message: 'is not known' }],
  });
}

/** The state a change leads to; before is locked. */
async function change(
  db: Db,
  siteId: string,
  before: Notification,
  { status: wanted, ...changes }: NotificationPatch,
  actor: string,
  atMs: number,
): Promise<Notification> {
  if (before.status === 'ended')
    throw new AppError('conflict', 'It has ended, and stays as it was. Make a new one.');
  // it may pause meanwhile: for all arms alike
  const isOther = wanted === 'ended' || Object.values(changes).some((each) => each !== undefined);
  if (isOther && (await isUnderTest(db, siteId, before.notificationId)))
    throw new AppError(
      'conflict',
      'A test of it runs, which compares what stays the same. Stop the test first.',
    );
  if (before.version >= VERSIONS_MAX)
    throw new AppError('conflict', `It has had ${VERSIONS_MAX} versions. End it, and make a new one.`);
  const content: Content = { ...contentOf(before), ...definedOf(changes) };
  const status = wanted ? nextStatus(before.status, wanted, content.schedule, atMs) : before.status;
  const starts = (one: string) => one === 'scheduled' || one === 'running';
  const isStarted = starts(status) && !starts(before.status);
  // what is only paused or ended may be: rules that came after it do not keep it on the site
  if (isStarted || Object.values(changes).some((one) => one !== undefined))
    checkNotification({ kind: before.kind, ...content });
  if (isStarted) {
    const { atWork } = await countUnderLock(db, siteId);
    if (atWork >= RUNNING_MAX)
      throw new AppError('conflict', `At most ${RUNNING_MAX} run at once on a site. Pause or end one first.`);
    await planHasRoom(db, siteId, 'notifications', atWork + 1);
  }
  if (changes.templateId) await knownTemplate(db, siteId, changes.templateId);
  const changed = await changeNotification(db, siteId, before, status, content, actor);
  await tellFeed(db, siteId);
  await tellNotification(db, siteId, changed);
  return changed;
}

export function contentOf(notification: Notification): Content {
  const { name, claim, source, texts, link, channels, templateId, priority } = notification;
  const { targeting, trigger, frequency, schedule } = notification;
  return {
    name,
    claim,
    source,
    texts,
    link,
    channels,
    templateId,
    priority,
    targeting,
    trigger,
    frequency,
    schedule,
  };
}

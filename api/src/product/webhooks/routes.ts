// Endpoints of a site: made, changed, tried out, ended.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { listenADayMore, listenUntil, type Outbox } from '../outbox/outbox.ts';
import { typeOf } from '../outbox/types.ts';
import { planHasRoom } from '../plans/use.ts';
import type { Deliverer } from './deliver.ts';
import { hasListeners } from './deliver-queries.ts';
import {
  asClaimed,
  deleteWebhook,
  findDelivery,
  findWebhook,
  insertTest,
  insertWebhook,
  listWebhooks,
  replayMany,
  updateWebhook,
  WEBHOOKS_MAX,
  type WebhookRow,
} from './queries.ts';
import {
  deliveryShape,
  newWebhook,
  replay,
  rotation,
  type Webhook,
  type WebhookPatch,
  webhookPatch,
  webhookShape,
} from './schema.ts';
import { insertSecret, newSigningSecret, rotateSecret } from './secrets.ts';

export interface WebhookNeeds {
  db: Pool;
  accounts: Pick<Accounts, 'vault'>;
  outbox: Outbox;
  deliverer: Deliverer;
}

const AT = '/v1/sites/:siteId/webhooks';
const common = { tag: 'webhooks', who: 'hooks', of: 'path' } as const;
const json = ['json'] as const;
const nobody = () => new AppError('not_found', 'There is no webhook with this id.');

/** throws  invalid_request with path url (or the one given) */
export function mustReach({ reach }: Deliverer, url: string, path = 'url'): void {
  const why = reach.refuses(new URL(url));
  if (why === null) return;
  throw new AppError('invalid_request', 'Webhooks go to https addresses on the public internet.', {
    issues: [{ path, message: why }],
  });
}

/** Addresses of leads go to nobody whom who asks for it could not tell them. */
function mustMayTell(call: Call, personal: boolean | undefined): void {
  if (personal && !call.caller.may('leads', call.site.siteId))
    throw new AppError('forbidden', 'Only who may see leads can have their addresses sent.');
}

/** One transaction for the endpoint and its secret. throws  conflict when there are too many */
export async function makeWebhook(
  { db, accounts }: Pick<WebhookNeeds, 'db' | 'accounts'>,
  siteId: string,
  row: WebhookRow,
  secret: string,
): Promise<Webhook> {
  const vault = accounts.vault();
  return inAccounts(db, async (tx) => {
    await tx.query("select set_config('marketing.sites', $1, true)", [siteId]);
    const webhook = await insertWebhook(tx, siteId, row);
    if (!webhook)
      throw new AppError('conflict', `A site has ${WEBHOOKS_MAX} webhooks at most. Delete one first.`);
    await planHasRoom(tx, siteId, 'webhooks', (await listWebhooks(tx, siteId)).length);
    await insertSecret(tx, vault, siteId, webhook.webhookId, secret);
    await listenUntil(tx, siteId, 'infinity');
    return webhook;
  });
}

export const webhookRoutes = (needs: WebhookNeeds): Route[] => [
  listRoute(needs),
  createRoute(needs),
  ...oneRoutes(needs),
  rotateRoute(needs),
  testRoute(needs),
  replayRoute(needs),
];

const listRoute = ({ db }: WebhookNeeds): Route =>
  route({
    ...common,
    at: `GET ${AT}`,
    id: 'listWebhooks',
    says: 'Endpoints of a site, the newest first; twenty at most',
    shows: 'no people',
    answers: { 200: z.object({ webhooks: z.array(webhookShape) }) },
    async run(_input, { site: { siteId } }) {
      return { webhooks: await inSites(db, siteId, (tx) => listWebhooks(tx, siteId)) };
    },
  });

const createRoute = (needs: WebhookNeeds): Route =>
  route({
    ...common,
    at: `POST ${AT}`,
    id: 'createWebhook',
    says: 'Adds an endpoint that is told what happens; its secret is in this answer and nowhere else',
    proof: 'fresh',
    takes: { as: json, bytesMax: 8 * 1024, shape: newWebhook },
    answers: { 201: z.object({ webhook: webhookShape, secret: z.string() }) },
    async run({ url, types, personal }, call) {
      mustReach(needs.deliverer, url);
      mustMayTell(call, personal);
      const secret = newSigningSecret();
      const row = {
        kind: 'endpoint',
        url,
        types: [...new Set(types)],
        personal,
        madeBy: call.caller.actor,
      } as const;
      const webhook = await makeWebhook(needs, call.site.siteId, row, secret);
      call.note({ target: webhook.webhookId, details: { types, personal } });
      return created({ webhook, secret });
    },
  });

function oneRoutes({ db, deliverer }: WebhookNeeds): Route[] {
  const at = `${AT}/:webhookId`;
  const change = (siteId: string, webhookId: string, patch: WebhookPatch, call: Call) =>
    inSites(db, siteId, async (tx) => {
      const before = await findWebhook(tx, siteId, webhookId, true);
      if (!before) throw nobody();
      checkVersion(call, before.version);
      const webhook = await updateWebhook(tx, siteId, webhookId, patch);
      if (!webhook.disabledAt) await listenUntil(tx, siteId, 'infinity');
      else if (!(await hasListeners(tx, siteId))) await listenADayMore(tx, siteId);
      return webhook;
    });
  return [
    route({
      ...common,
      at: `GET ${at}`,
      id: 'getWebhook',
      says: 'One endpoint',
      shows: 'no people',
      answers: { 200: z.object({ webhook: webhookShape }) },
      async run(_input, { site: { siteId }, params }) {
        const webhook = await inSites(db, siteId, (tx) => findWebhook(tx, siteId, params.webhookId!));
        if (!webhook) throw nobody();
        return { webhook };
      },
    }),
    route({
      ...common,
      at: `PATCH ${at}`,
      id: 'updateWebhook',
      says: 'Changes an endpoint, or switches it on or off; If-Match names the version that was read',
      proof: 'fresh',
      takes: { as: json, bytesMax: 8 * 1024, shape: webhookPatch },
      answers: { 200: z.object({ webhook: webhookShape }) },
      async run(patch, call) {
        if (patch.url !== undefined) mustReach(deliverer, patch.url);
        mustMayTell(call, patch.personal);
        const webhook = await change(call.site.siteId, call.params.webhookId!, patch, call);
        call.note({ target: webhook.webhookId, details: { changed: Object.keys(patch) } });
        deliverer.wake();
        return { webhook };
      },
    }),
  ];
}

const rotateRoute = ({ db, accounts }: WebhookNeeds): Route =>
  route({
    ...common,
    at: `POST ${AT}/:webhookId/rotate`,
    id: 'renewWebhookSecret',
    says: 'Makes a new secret; the ones of before sign along for some hours. In this answer and nowhere else',
    proof: 'fresh',
    takes: { as: json, bytesMax: 1024, optional: true, shape: rotation },
    answers: { 200: z.object({ secret: z.string() }) },
    async run({ overlapHours }, call) {
      const { siteId } = call.site;
      const webhookId = call.params.webhookId!;
      const webhook = await inSites(db, siteId, (tx) => findWebhook(tx, siteId, webhookId));
      if (!webhook) throw nobody();
      const secret = await inAccounts(db, (tx) =>
        rotateSecret(tx, accounts.vault(), siteId, webhookId, overlapHours),
      );
      call.note({ target: webhookId, details: { overlapHours } });
      return { secret };
    },
  });

const testRoute = ({ db, deliverer }: WebhookNeeds): Route =>
  route({
    ...common,
    at: `POST ${AT}/:webhookId/test`,
    id: 'runWebhookTest',
    says: 'Sends an example of its first type, once, and tells how it ended',
    answers: { 200: z.object({ delivery: deliveryShape }) },
    async run(_input, call) {
      const { siteId } = call.site;
      const [webhook, deliveryId] = await inSites(db, siteId, async (tx) => {
        const found = await findWebhook(tx, siteId, call.params.webhookId!);
        if (!found) throw nobody();
        const type = found.types[0]!;
        const data = { ...typeOf(type)?.sample, test: true };
        return [found, await insertTest(tx, siteId, found.webhookId, type, data)] as const;
      });
      await deliverer.deliverOne(asClaimed(siteId, webhook), deliveryId, true);
      call.note({ target: webhook.webhookId });
      const delivery = await inSites(db, siteId, (tx) => findDelivery(tx, siteId, deliveryId));
      if (!delivery) throw nobody();
      return { delivery };
    },
  });

const replayRoute = ({ db, deliverer }: WebhookNeeds): Route =>
  route({
    ...common,
    at: `POST ${AT}/:webhookId/replay`,
    id: 'runWebhookReplay',
    says: 'Delivers again what happened within a window, from the log of 30 days',
    takes: { as: json, bytesMax: 1024, shape: replay },
    answers: { 200: z.object({ queued: z.int() }) },
    async run(window, call) {
      const { siteId } = call.site;
      const webhookId = call.params.webhookId!;
      const queued = await inSites(db, siteId, async (tx) => {
        if (!(await findWebhook(tx, siteId, webhookId))) throw nobody();
        return replayMany(tx, siteId, webhookId, window);
      });
      call.note({ target: webhookId, details: { queued } });
      deliverer.wake();
      return { queued };
    },
  });

/** Behind all others of a site's webhooks. */
export const webhookEndRoute = ({ db }: WebhookNeeds): Route =>
  route({
    ...common,
    at: `DELETE ${AT}/:webhookId`,
    id: 'deleteWebhook',
    says: 'Ends an endpoint, with what waits for it and its log; needs If-Match with its version',
    answers: { 200: z.object({}) },
    async run(_input, call) {
      const { siteId } = call.site;
      const webhookId = call.params.webhookId!;
      call.note({ target: webhookId });
      await inSites(db, siteId, async (tx) => {
        const found = await findWebhook(tx, siteId, webhookId, true);
        if (!found) throw nobody();
        checkVersion(call, found.version);
        await deleteWebhook(tx, siteId, webhookId);
        if (!(await hasListeners(tx, siteId))) await listenADayMore(tx, siteId);
      });
      return {};
    },
  });

// What was delivered, and again; and hooks that programs make for themselves (Zapier and its like).
import { z } from 'zod';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, readCursor } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { listenADayMore } from '../outbox/outbox.ts';
import { OUTGOING_TYPES, TYPES } from '../outbox/types.ts';
import { hasListeners } from './deliver-queries.ts';
import { deleteWebhook, listDeliveries, replayOne, siteOfHook } from './queries.ts';
import { makeWebhook, mustReach, type WebhookNeeds } from './routes.ts';
import { deliveriesQuery, deliveryShape, newHook, sampleShape, samplesQuery } from './schema.ts';
import { newSigningSecret } from './secrets.ts';

export const webhookLogRoutes = (needs: WebhookNeeds): Route[] => [...ofLog(needs), ...ofHooks(needs)];

function ofLog({ db, deliverer }: WebhookNeeds): Route[] {
  const common = { tag: 'webhooks', who: 'hooks', of: 'path' } as const;
  const at = '/v1/sites/:siteId/deliveries';
  return [
    route({
      ...common,
      at: `GET ${at}`,
      id: 'getDeliveryLog',
      says: 'What endpoints were told in 30 days, and how each try ended; the newest first',
      shows: 'no people',
      takes: { as: 'query', shape: deliveriesQuery },
      answers: { 200: z.object({ deliveries: z.array(deliveryShape), nextCursor }) },
      async run({ limit, cursor, ...wanted }, { site: { siteId } }) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        const rows = await inSites(db, siteId, (tx) => listDeliveries(tx, siteId, wanted, after, limit + 1));
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.deliveryId]);
        return { deliveries: page, nextCursor: next };
      },
    }),
    route({
      ...common,
      at: `POST ${at}/:deliveryId/replay`,
      id: 'runDeliveryReplay',
      says: 'Delivers one again, under its id of before',
      answers: { 200: z.object({ delivery: deliveryShape }) },
      async run(_input, call) {
        const { siteId } = call.site;
        const delivery = await inSites(db, siteId, (tx) => replayOne(tx, siteId, call.params.deliveryId!));
        if (!delivery) throw new AppError('not_found', 'There is no delivery with this id.');
        call.note({ target: delivery.deliveryId });
        deliverer.wake();
        return { delivery };
      },
    }),
  ];
}

function ofHooks(needs: WebhookNeeds): Route[] {
  const { db, deliverer } = needs;
  const common = { tag: 'webhooks', who: 'hooks' } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/hooks',
      id: 'createHook',
      says: 'Subscribes a program to one type (REST hooks)',
      proof: 'fresh',
      of: 'named',
      takes: { as: ['json'], bytesMax: 8 * 1024, shape: newHook },
      answers: { 201: z.object({ id: z.uuid() }) },
      async run({ target_url: url, type }, call) {
        mustReach(deliverer, url, 'target_url');
        const row = { kind: 'hook', url, types: [type], personal: false, madeBy: call.caller.actor } as const;
        const { webhookId } = await makeWebhook(needs, call.site.siteId, row, newSigningSecret());
        call.note({ target: webhookId, details: { type } });
        return created({ id: webhookId });
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/hooks/:hookId',
      id: 'deleteHook',
      says: 'Ends a subscription of a program',
      of: 'all',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const hookId = call.params.hookId!;
        const siteId = await inSites(db, call.siteIds, async (tx) => {
          const of = await siteOfHook(tx, hookId);
          if (!of || !(await deleteWebhook(tx, of, hookId, 'hook'))) return null;
          if (!(await hasListeners(tx, of))) await listenADayMore(tx, of);
          return of;
        });
        if (!siteId) throw new AppError('not_found', 'There is no hook with this id.');
        call.note({ siteId, target: hookId });
        return {};
      },
    }),
    route({
      ...common,
      at: 'GET /v1/hooks/samples',
      id: 'describeHooks',
      says: 'What a hook will be sent, by example',
      shows: 'no people',
      takes: { as: 'query', shape: samplesQuery },
      answers: { 200: z.object({ samples: z.array(sampleShape) }) },
      run({ type }) {
        const wanted = OUTGOING_TYPES.filter((name) => type === undefined || name === type);
        return {
          samples: wanted.map((name) => ({
            type: name,
            timestamp: '2026-01-31T12:00:00.000Z',
            data: TYPES[name].sample,
          })),
        };
      },
    }),
  ];
}

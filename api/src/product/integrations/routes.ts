// Integrations of a site, and the door at which their deliveries come.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { checkVersion } from '../../ground/http/version.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import type { Vault } from '../accounts/vault.ts';
import type { Received } from './deliveries.ts';
import {
  deleteIntegration,
  INTEGRATIONS_MAX,
  insertIntegration,
  listIntegrations,
  lockIntegration,
  SEE_SITES,
  updateIntegration,
} from './queries.ts';
import type { Came } from './receive.ts';
import {
  type Integration,
  integrationPatch,
  integrationShape,
  type Mapping,
  newIntegration,
  tellsPlans,
} from './schema.ts';
import { putSecret } from './secrets.ts';

export interface IntegrationNeeds {
  db: Pool;
  vault(): Vault;
  publicUrl: string | undefined;
  receive(integrationId: string, came: Came): Promise<Received>;
  learn(integrationId: string): Promise<void>;
}

const AT = '/v1/sites/:siteId/integrations';
const common = { tag: 'integrations', who: 'settings', of: 'path' } as const;
const json = ['json'] as const;
const received = z
  .enum(['stored', 'duplicate', 'ignored', 'kept'])
  .describe('kept: the database is away; it is on disk and stored once that is back');
/** throws  forbidden: or a site's own admin would choose its limits */
function mustMayPlans(call: Call, ...mappings: (Mapping | undefined)[]): void {
  if (mappings.some((mapping) => mapping && tellsPlans(mapping)) && !call.caller.may('plans'))
    throw new AppError('forbidden', 'An integration that gives plans is an owner’s to make and to change.');
}
const nobody = () => new AppError('not_found', 'There is no integration with this id.');

export function integrationRoutes(needs: IntegrationNeeds): Route[] {
  const { db, vault, publicUrl, receive, learn } = needs;
  const base = publicUrl?.replace(/\/$/, '') ?? '';
  const shown = (row: Omit<Integration, 'url'>): Integration => ({
    ...row,
    url: `${base}/v1/in/${row.integrationId}`,
  });
  return [
    route({
      ...common,
      at: `GET ${AT}`,
      id: 'listIntegrations',
      says: 'Shops and payment services that tell what happened there; twenty at most',
      shows: 'no people',
      answers: { 200: z.object({ integrations: z.array(integrationShape) }) },
      async run(_input, { site: { siteId } }) {
        const rows = await inSites(db, siteId, (tx) => listIntegrations(tx, siteId));
        return { integrations: rows.map(shown) };
      },
    }),
    route({
      ...common,
      at: `POST ${AT}`,
      id: 'createIntegration',
      says: 'Adds a shop or payment service; its answer says where that sends to',
      proof: 'fresh',
      takes: { as: json, bytesMax: 16 * 1024, shape: newIntegration },
      answers: { 201: z.object({ integration: integrationShape }) },
      async run({ kind, secret, mapping }, call) {
        const { siteId } = call.site;
        mustMayPlans(call, mapping);
        const row = await inAccounts(db, async (tx) => {
          await tx.query(SEE_SITES, [siteId]);
          const made = await insertIntegration(tx, siteId, { kind, mapping, madeBy: call.caller.actor });
          if (made) await putSecret(tx, vault(), siteId, made.integrationId, secret);
          return made;
        });
        if (!row)
          throw new AppError(
            'conflict',
            `A site has ${INTEGRATIONS_MAX} integrations at most. Delete one first.`,
          );
        await learn(row.integrationId);
        call.note({ target: row.integrationId, details: { kind } });
        return created({ integration: shown(row) });
      },
    }),
    route({
      ...common,
      at: `PATCH ${AT}/:integrationId`,
      id: 'updateIntegration',
      says: 'Changes what topics mean, or the secret; needs If-Match with its version',
      proof: 'fresh',
      takes: { as: json, bytesMax: 16 * 1024, shape: integrationPatch },
      answers: { 200: z.object({ integration: integrationShape }) },
      async run({ secret, overlapHours, mapping }, call) {
        const { siteId } = call.site;
        const integrationId = call.params.integrationId!;
        const row = await inAccounts(db, async (tx) => {
          await tx.query(SEE_SITES, [siteId]);
          const before = await lockIntegration(tx, siteId, integrationId);
          if (before === null) throw nobody();
          mustMayPlans(call, before.mapping, mapping);
          checkVersion(call, before.version);
          if (mapping && tellsPlans(mapping) && before.kind !== 'stripe')
            throw new AppError('invalid_request', 'Only Stripe tells of plans.', {
              issues: [{ path: 'mapping.plans', message: 'only of kind stripe' }],
            });
          if (secret !== undefined) await putSecret(tx, vault(), siteId, integrationId, secret, overlapHours);
          return updateIntegration(tx, siteId, integrationId, mapping ?? null);
        });
        await learn(integrationId);
        call.note({
          target: integrationId,
          details: { secret: secret !== undefined, mapping: mapping !== undefined },
        });
        return { integration: shown(row!) };
      },
    }),
    route({
      at: 'POST /v1/in/:integrationId',
      id: 'tellDelivery',
      says: 'Takes a signed delivery of a shop or payment service; the same again changes nothing',
      tag: 'integrations',
      who: 'anyone',
      bucket: 'key',
      takes: { as: ['raw'], bytesMax: 1024 * 1024 },
      answers: { 200: z.object({ received: received }) },
      async run(_input, call) {
        const came = { headers: call.headers, raw: call.body as Buffer, at: call.receivedAt };
        return { received: await receive(call.params.integrationId!, came) };
      },
    }),
    route({
      ...common,
      at: `DELETE ${AT}/:integrationId`,
      id: 'deleteIntegration',
      says: 'Ends an integration; needs If-Match with its version. What it told stays',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const { siteId } = call.site;
        const integrationId = call.params.integrationId!;
        call.note({ target: integrationId });
        await inSites(db, siteId, async (tx) => {
          const before = await lockIntegration(tx, siteId, integrationId);
          if (before === null) throw nobody();
          mustMayPlans(call, before.mapping);
          checkVersion(call, before.version);
          await deleteIntegration(tx, siteId, integrationId);
        });
        await learn(integrationId);
        return {};
      },
    }),
  ];
}

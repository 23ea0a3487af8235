// The register of requests: /v1/admin/requests.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { email } from '../captures/schema.ts';
import { dueAt } from './due.ts';
import { changeRequest, enterRequest, listRequests } from './register.ts';
import { newRequest, requestPatch, requestShape } from './schema.ts';

export interface RequestNeeds {
  db: Pool;
  hashAddress: (siteId: string, normalized: string) => string;
}

const DAY_MS = 86_400_000;
const cursorParts = z.tuple([utc, z.uuid()]);
const list = { requests: z.array(requestShape), nextCursor };
const wanted = { state: z.enum(['open', 'answered', 'all']).default('open'), ...paging(100, 500) };

export function requestRoutes({ db, hashAddress }: RequestNeeds): Route[] {
  const common = { tag: 'requests', who: 'evidence' } as const;
  const one = z.object({ request: requestShape });
  const search = async (
    siteIds: string[],
    {
      state,
      limit,
      cursor,
    }: { state: 'open' | 'answered' | 'all'; limit: number; cursor?: string | undefined },
    emailHashes: string[] | null,
  ) => {
    const after = readCursor(cursor, cursorParts);
    const rows = await inSites(db, siteIds, (tx) =>
      listRequests(tx, { state, emailHashes }, after, limit + 1),
    );
    const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.dueAt, last.requestId]);
    return { requests: page, nextCursor: next };
  };
  return [
    route({
      ...common,
      at: 'GET /v1/admin/requests',
      id: 'listRequests',
      says: 'Requests of people about their data, the one due first first',
      of: 'all',
      takes: { as: 'query', shape: z.object(wanted) },
      answers: { 200: z.object(list) },
      run: (query, call) => search(call.siteIds, query, null),
    }),
    route({
      ...common,
      at: 'POST /v1/admin/requests/search',
      id: 'searchRequests',
      looks: true,
      says: 'What one address asked for, on every site of the caller',
      of: 'all',
      takes: {
        as: ['json'],
        bytesMax: 4096,
        shape: z.object({ email, ...wanted, state: wanted.state.default('all') }),
      },
      answers: { 200: z.object(list) },
      run: ({ email: { normalized }, ...query }, call) =>
        search(
          call.siteIds,
          query,
          call.siteIds.map((siteId) => hashAddress(siteId, normalized)),
        ),
    }),
    route({
      ...common,
      at: 'POST /v1/admin/requests',
      id: 'registerRequest',
      says: 'Registers a request, with the day it must be answered by',
      of: 'named',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: newRequest },
      answers: { 201: one },
      async run({ email: address, receivedAt, law, kind, how, note }, call) {
        const { siteId } = call.site;
        const received = receivedAt === undefined ? call.receivedAt : new Date(receivedAt);
        if (received.getTime() > call.receivedMs + DAY_MS)
          throw new AppError('invalid_request', 'A request cannot have been received in the future.', {
            issues: [{ path: 'receivedAt', message: 'is in the future' }],
          });
        const request = await inSites(db, siteId, (tx) =>
          enterRequest(tx, {
            siteId,
            kind,
            emailHash: address ? hashAddress(siteId, address.normalized) : null,
            receivedAt: received.toISOString(),
            dueAt: dueAt(received, law).toISOString(),
            how,
            note,
          }),
        );
        call.note({ target: request.requestId, details: { kind } });
        return created({ request });
      },
    }),
    route({
      ...common,
      at: 'PATCH /v1/admin/requests/:requestId',
      id: 'updateRequest',
      says: 'Says what became of a request, or that it may take longer',
      of: 'all',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: requestPatch },
      answers: { 200: one },
      async run(patch, call) {
        const request = await inSites(db, call.siteIds, (tx) =>
          changeRequest(tx, call.params.requestId!, patch),
        );
        if (!request) throw new AppError('not_found', 'There is no request with this id.');
        call.note({
          siteId: request.siteId,
          target: request.requestId,
          details: { changes: Object.keys(patch) },
        });
        return { request };
      },
    }),
  ];
}

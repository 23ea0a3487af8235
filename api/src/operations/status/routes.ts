// The state of the machine: GET /v1/admin/status.
import type { Reading } from '../../ground/feature.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { statusShapeOf } from './shape.ts';
import type { Status } from './status.ts';

export interface StatusNeeds {
  status: () => Promise<Status>;
  /** Of all features. */
  readings: readonly Reading[];
}

export function statusRoutes({ status, readings }: StatusNeeds): Route[] {
  return [
    route({
      at: 'GET /v1/admin/status',
      id: 'getStatus',
      says: 'Everything at a glance: versions, database, jobs, backups, disk, memory, ledger, alarms',
      tag: 'status',
      who: 'machine',
      shows: 'no people',
      answers: { 200: statusShapeOf(readings) },
      run: async () => new Reply(200, await status(), { 'Cache-Control': 'no-store' }),
    }),
  ];
}

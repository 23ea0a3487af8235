// The state of the machine: GET /v1/admin/status.
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { statusShape } from './shape.ts';
import type { Status } from './status.ts';

export function statusRoutes({ status }: { status: () => Promise<Status> }): Route[] {
  return [
    route({
      at: 'GET /v1/admin/status',
      id: 'getStatus',
      says: 'Everything at a glance: versions, database, jobs, backups, disk, memory, ledger, alarms',
      tag: 'status',
      who: 'machine',
      shows: 'no people',
      answers: { 200: statusShape },
      run: async () => new Reply(200, await status(), { 'Cache-Control': 'no-store' }),
    }),
  ];
}

// The state of the machine: GET /v1/admin/status.
import type { Reading } from '../../ground/feature.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { jobsFor } from '../../ground/jobs/shown.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { statusShapeOf } from './shape.ts';
import type { Status } from './status.ts';

export interface StatusNeeds {
  status: () => Promise<Status>;
  sites: SiteDirectory;
  /** Of all features. */
  readings: readonly Reading[];
}

export function statusRoutes({ status, sites, readings }: StatusNeeds): Route[] {
  return [
    route({
      at: 'GET /v1/admin/status',
      id: 'getStatus',
      says: 'Everything at a glance: versions, database, jobs, backups, disk, memory, ledger, alarms',
      tag: 'status',
      who: 'machine',
      shows: 'no people',
      answers: { 200: statusShapeOf(readings) },
      async run(_input, call) {
        const read = await status();
        const jobs = jobsFor(call.caller, sites)(read.jobs);
        return new Reply(200, { ...read, jobs }, { 'Cache-Control': 'no-store' });
      },
    }),
  ];
}

// The state of the machine: GET /v1/admin/status.
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { jobsFor } from '../../ground/jobs/shown.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { statusShape } from './shape.ts';
import type { Status } from './status.ts';

export interface StatusNeeds {
  status: () => Promise<Status>;
  sites: SiteDirectory;
}

export function statusRoutes({ status, sites }: StatusNeeds): Route[] {
  return [
    route({
      at: 'GET /v1/admin/status',
      id: 'getStatus',
      says: 'Everything at a glance: versions, database, jobs, backups, disk, memory, ledger, alarms',
      tag: 'status',
      who: 'machine',
      shows: 'no people',
      answers: { 200: statusShape },
      async run(_input, call) {
        const read = await status();
        const jobs = jobsFor(call.caller, sites)(read.jobs);
        return new Reply(200, { ...read, jobs }, { 'Cache-Control': 'no-store' });
      },
    }),
  ];
}

// What a caller sees of runs: what one was told and what it found may be about any site.
import type { Caller } from '../http/caller.ts';
import { sitesOf } from '../http/which-site.ts';
import type { SiteDirectory } from '../site.ts';
import type { JobStatus, Run } from './shape.ts';

/** A caller of some sites sees options and result only of a run for one of them; of the others, how it ended. */
export function runFor(caller: Caller, sites: SiteDirectory): (run: Run) => Run {
  if (caller.siteIds === 'all') return (run) => run;
  const theirs = sitesOf(sites, caller, 'machine').flatMap(({ siteId, key }) => [siteId, key]);
  return (run) =>
    theirs.includes(String(run.options.propertyId)) ? run : { ...run, options: {}, result: null };
}

/** A glance says how many, and names nobody: whose they are stands in the run itself, a look that leaves a line. */
const counted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.length
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, counted(inner)]))
      : value;
const glance = (run: Run): Run => ({ ...run, result: counted(run.result) as Run['result'] });

export function jobsFor(caller: Caller, sites: SiteDirectory): (jobs: JobStatus[]) => JobStatus[] {
  const shown = runFor(caller, sites);
  return (jobs) => jobs.map((job) => ({ ...job, last: job.last && glance(shown(job.last)) }));
}

// What is kept of jobs, of minutes with service, and of the schema itself.
import type { Tables } from '../../ground/tables.ts';

export const jobTables: Tables = {
  job_runs: {
    holds: 'a run of a job and how it ended',
    columns: {
      job: 'bounded',
      trigger: 'bounded',
      state: 'bounded',
      options: 'operator',
      result: 'counted',
      error: 'bounded',
    },
    kept: { job: 'old_runs', why: 'two days of jobs that run every minute, 400 days of others' },
  },
  service_days: {
    holds: 'in which minutes of a day the service was there',
    columns: {},
    kept: { ever: 'a line a day' },
  },
  processes: {
    holds: 'which processes serve, by a random name',
    columns: {},
    kept: { ever: 'a row each, for a minute after its last sign of life' },
  },
  leases: {
    holds: 'what only one process may do at a time, and which does',
    columns: { name: 'bounded' },
    kept: { ever: 'a row a job, as long as it runs' },
  },
  schema_migrations: {
    holds: 'which migrations ran',
    columns: { name: 'bounded', sha256: 'digest' },
    kept: { ever: 'the version of the schema' },
  },
};

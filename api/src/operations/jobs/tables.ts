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
  schema_migrations: {
    holds: 'which migrations ran',
    columns: { name: 'bounded', sha256: 'digest' },
    kept: { ever: 'the version of the schema' },
  },
};

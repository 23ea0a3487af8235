// What is shown of jobs and their runs.
import { z } from 'zod';
import { openRecord, utc } from '../http/fields.ts';

export const runShape = z
  .object({
    runId: z.uuid(),
    job: z.string(),
    scheduledFor: utc.nullable(),
    trigger: z.enum(['schedule', 'made_up', 'by_hand']),
    state: z
      .enum(['running', 'succeeded', 'incomplete', 'failed', 'abandoned'])
      .describe('incomplete: its work is done but for a part, which error names'),
    startedAt: utc,
    finishedAt: utc.nullable(),
    options: openRecord,
    result: openRecord.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'JobRun' });
export type Run = z.output<typeof runShape>;
export type Trigger = Run['trigger'];

export const jobStatusShape = z
  .object({
    job: z.string(),
    cron: z.string().nullable().describe('five fields, UTC; null: by hand only'),
    why: z.string(),
    last: runShape.nullable(),
    lastSuccessAt: utc.nullable(),
    stuck: z.boolean().describe('running for longer than it may'),
  })
  .meta({ id: 'JobStatus' });
export type JobStatus = z.output<typeof jobStatusShape>;

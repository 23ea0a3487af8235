// What GET /v1/admin/status says. The type of what is read is made from this, so the two cannot differ.
import { z } from 'zod';
import type { Reading } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import { jobStatusShape } from '../../ground/jobs/shape.ts';

const count = z.int().min(0);
const pct = z.number().min(0);
const hours = z.number();

const database = z.object({
  ok: z.boolean(),
  version: z.string().optional(),
  bytes: count.optional(),
  migrations: z.object({ count, newest: z.string().nullable() }).optional(),
  connections: count.optional(),
  installedAt: utc.optional(),
});

const check = { ok: z.boolean(), at: utc, ms: z.number(), problems: z.array(z.string()) };
const backups = z.object({
  count,
  newest: z
    .object({
      name: z.string(),
      at: utc,
      ageHours: hours,
      encrypted: z.boolean(),
      check: z.object(check).nullable().describe('null: not tried'),
    })
    .nullable(),
  lastVerified: z
    .object({ at: utc, ageHours: hours, ms: z.number() })
    .nullable()
    .describe('the newest one that was restored on trial and found equal'),
  lastCheck: z
    .object({ ...check, ageHours: hours })
    .nullable()
    .describe('the last trial restore, good or not'),
  skippedCheck: z
    .object({ at: utc, message: z.string() })
    .nullable()
    .describe('why the last trial restore did not take place; null: it did'),
  last: z
    .object({
      ok: z.boolean(),
      at: utc,
      message: z.string().nullable(),
    })
    .nullable()
    .describe('what became of the last try'),
  offsite: z
    .array(
      z.object({
        target: z.string(),
        ok: z.boolean(),
        message: z.string().nullable().describe('what went wrong, in words'),
        at: utc,
        failingSince: utc.nullable(),
        copies: count.nullable().describe('whole ones of ours that lie there; null: it could not be asked'),
        proven: count.nullable().describe('of these, restored on trial and found equal'),
        newest: utc.nullable(),
        newestAgeHours: hours.nullable(),
        sent: z.array(z.string()),
        removed: z.array(z.string()),
        unremoved: z.array(z.string()).describe('old ones that are to go and could not be removed'),
      }),
    )
    .describe('of each place that copies are brought to, what the last run found'),
});

const alarms = z.object({
  alarms: z.array(
    z.object({
      id: z.string(),
      since: utc,
      severity: z.enum(['warning', 'critical']),
      message: z.string(),
    }),
  ),
  rules: z
    .array(z.object({ id: z.string(), when: z.string() }))
    .describe('everything that could be wrong, and when'),
});

const machineShape = z.object({
  version: z.string(),
  node: z.string(),
  upSeconds: count,
  database,
  backups,
  disk: z
    .object({ path: z.string(), usedPct: pct, freeBytes: count, totalBytes: count })
    .nullable()
    .describe('the fullest one'),
  eventsRefused: z.boolean(),
  memory: z.object({ rssBytes: count, containerUsedPct: z.number().nullable() }),
  certificate: z
    .object({
      name: z.string(),
      days: z.number().nullable().describe("until it ends; null: can't be seen"),
      pointsTo: z
        .array(z.string())
        .nullable()
        .describe('without a certificate: the addresses of the name, null when it has none; else empty'),
    })
    .nullable(),
  jobs: z.array(jobStatusShape),
  alarms,
  lines: z
    .array(z.object({ name: z.string(), text: z.string() }))
    .describe('what features tell about themselves, for people'),
  carriedAway: z
    .array(z.string())
    .describe('lines of the status mail: what proves something only where the machine cannot change it'),
});

/** What can't be read is null or ok false: this is for bad days. Features' readings stand beside it, by their names. */
export type Status = z.output<typeof machineShape> & Record<string, unknown>;

/** Of the machine, and of everything that features tell about themselves. */
export const statusShapeOf = (readings: readonly Reading[]): z.ZodType<Status> =>
  machineShape
    .extend(Object.fromEntries(readings.map(({ name, shape }) => [name, shape.nullable()])))
    .meta({ id: 'Status' }) as unknown as z.ZodType<Status>;

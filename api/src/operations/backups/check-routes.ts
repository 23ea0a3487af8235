// What the nightly trial restores proved, backup by backup: GET /v1/admin/restore-checks.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { readManifest, setPaths } from './manifest.ts';
import { type BackupSet, listBackups } from './rotate.ts';
import { skippedCheck } from './verify.ts';

const count = z.int().min(0);
const checkShape = z
  .object({
    backup: z.string(),
    madeAt: utc,
    encrypted: z.boolean(),
    content: z
      .object({ tables: count, rows: count, migration: z.string().describe('the newest one in it') })
      .nullable()
      .describe(
        'what it says it holds, which is what a restore has to come to; null: that paper cannot be read',
      ),
    check: z
      .object({
        ok: z.boolean().describe('it restored to that, table by table, with every index and policy'),
        at: utc,
        ms: z.number(),
        problems: z.array(z.string()),
      })
      .nullable()
      .describe('null: not tried yet, or only copies of before were'),
  })
  .meta({ id: 'RestoreCheck' });
export type RestoreCheck = z.output<typeof checkShape>;

const answer = z.object({
  checks: z.array(checkShape).describe('of every backup that is kept here, the newest first'),
  skipped: z
    .object({ at: utc, message: z.string() })
    .nullable()
    .describe('why the last trial did not take place; null: it did'),
});
export type RestoreChecks = z.output<typeof answer>;

async function contentOf(folder: string, { stamp, plain }: BackupSet): Promise<RestoreCheck['content']> {
  const { dump, encrypted } = setPaths(folder, stamp);
  try {
    const { content } = await readManifest(plain ? dump : encrypted);
    const tables = Object.values(content.tables);
    return {
      tables: tables.length,
      rows: tables.reduce((sum, { rows }) => sum + Number(rows), 0),
      migration: content.migrations.at(-1)!,
    };
  } catch {
    return null; // a backup without its paper is seen as such, and hides no other
  }
}

export function restoreCheckRoutes({ folder }: { folder: string }): Route[] {
  return [
    route({
      at: 'GET /v1/admin/restore-checks',
      id: 'getRestoreChecks',
      says: 'What restoring each backup on trial proved, the newest first',
      tag: 'status',
      who: 'machine',
      shows: 'no people',
      answers: { 200: answer },
      async run() {
        const sets = (await listBackups(folder)).reverse();
        const checks = [];
        for (const set of sets)
          checks.push({
            backup: `marketing-${set.stamp}`,
            madeAt: set.at.toISOString(),
            encrypted: set.encrypted,
            content: await contentOf(folder, set),
            check: set.check,
          });
        return { checks, skipped: await skippedCheck(folder) };
      },
    }),
  ];
}

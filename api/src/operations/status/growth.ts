// What strangers can lengthen, and how long it is: every table that says a bound, and the journal of what was forgotten.
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { reading } from '../../ground/feature.ts';
import type { Tables } from '../../ground/tables.ts';

interface House {
  db: Pool;
  /** Of all features. */
  tables: Tables;
  leads: { forgetJournal: string };
}

const size = z.object({
  rows: z.int().min(0).nullable().describe('about; null: not known, or no table'),
  bytes: z.int().min(0).describe('with indexes'),
});
const growthShape = z.record(z.string(), size).describe('what strangers lengthen, by table');

async function sizesOf({ db, tables, leads }: House): Promise<z.output<typeof growthShape>> {
  const bounded = Object.keys(tables).filter((name) => tables[name]!.bound);
  // partitions are tables of their own
  const { rows } = await db.query<{ name: string; rows: number | null; bytes: number }>(
    `select t.name, sum(nullif(c.reltuples, -1))::bigint as rows, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as bytes
     from unnest($1::text[]) as t (name) cross join lateral pg_partition_tree(to_regclass('public.' || t.name)) p
     join pg_class c on c.oid = p.relid where p.isleaf group by t.name order by bytes desc, t.name`,
    [bounded],
  );
  const journal = await stat(leads.forgetJournal).catch(() => null);
  return {
    ...Object.fromEntries(rows.map(({ name, ...told }) => [name, told])),
    forgetJournal: { rows: null, bytes: journal?.size ?? 0 },
  };
}

const MB = 1e6;

export const growth = reading<House, z.output<typeof growthShape>>({
  name: 'growth',
  shape: growthShape,
  read: sizesOf,
  line: (sizes) => {
    const large = Object.entries(sizes).filter(([, { bytes }]) => bytes >= MB);
    if (large.length === 0) return null;
    return large.map(([name, { bytes }]) => `${name} ${Math.round(bytes / MB)} MB`).join(', ');
  },
});

// Days of a window that another tool counted: beside our own numbers, never added to them.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { count, type Window } from './window.ts';

export const importedShape = z
  .object({
    days: z.array(
      z.object({
        day: z.iso.date(),
        source: z.string().describe('the tool'),
        visitors: count.describe('of this day; never added up into unique visitors'),
        visits: count,
        pageviews: count,
      }),
    ),
    visitorDays: count,
    visits: count,
    pageviews: count,
  })
  .describe('what another tool counted before this one, in no other number here; null: none in this window')
  .meta({ id: 'ImportedDays' });
export type Imported = z.output<typeof importedShape>;

/** Inside inSites. returns  null: no finished import has a day of the window */
export async function readImported(db: Db, siteId: string, { from, to }: Window): Promise<Imported | null> {
  const { rows } = await db.query<Imported['days'][number]>({
    name: 'metric_imported',
    text: `select d.day, i.source, sum(d.visitors)::bigint as visitors, sum(d.visits)::bigint as visits, sum(d.pageviews)::bigint as pageviews
     from imported_days d join imports i using (site_id, import_id)
     where d.site_id = $1 and d.day between $2 and $3 and d.kind = 'total' and i.finished_at is not null group by 1, 2 order by 1, 2`,
    values: [siteId, from, to],
  });
  if (rows.length === 0) return null;
  const sum = (of: (row: Imported['days'][number]) => number) => rows.reduce((all, row) => all + of(row), 0);
  return {
    days: rows,
    visitorDays: sum((row) => row.visitors),
    visits: sum((row) => row.visits),
    pageviews: sum((row) => row.pageviews),
  };
}

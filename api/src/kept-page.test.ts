// The page of what is kept says what the features say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { makeDatabase, type TestDatabase } from '../test/database.ts';
import { FEATURES, tablesOf } from './features.ts';
import { keptOf } from './ground/tables.ts';
import { keptPage, PAGE } from './kept-page.ts';

let database: TestDatabase;
before(async () => {
  database = await makeDatabase();
});
after(() => database.drop());

test('docs/kept.md is current', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), keptPage(), 'renew it with: npm run kept');
});

test('every table of the database belongs to a feature, which says when its rows end', async () => {
  const { rows } = await database.owner.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  const named = tablesOf(FEATURES);
  assert.deepEqual(
    rows.map(({ name }) => name),
    Object.keys(named).sort(),
  );
  const jobs = new Set(
    FEATURES.flatMap(
      (feature) => feature.jobs?.({ sites: {}, leads: {}, backups: {}, config: {} } as never) ?? [],
    ).map(({ name }) => name),
  );
  for (const [table, rule] of Object.entries(named))
    for (const kept of keptOf(rule)) {
      if ('with' in kept) assert.ok(named[kept.with], `${table} ends with ${kept.with}`);
      if ('job' in kept) assert.ok(jobs.has(kept.job), `${table} is ended by the job ${kept.job}`);
    }
});

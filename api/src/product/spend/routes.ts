// What was paid for advertising: POST /v1/ad-spend as JSON or CSV, GET /v1/ad-spend.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { day, nextCursor, pageOf, paging, readCursor, siteName } from '../../ground/http/fields.ts';
import { amount, currency } from '../../ground/http/money.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { timeZoneOf } from '../../ground/site.ts';
import type { MetricsCache } from '../metrics/cache.ts';
import { listSpend, storeSpend } from './queries.ts';
import { ROWS_MAX, readTable } from './table.ts';

const newSpend = z
  .object({
    day,
    source: z.string().trim().min(1).max(255).describe('as in utm_source'),
    campaign: z.string().trim().max(255).default('').describe('empty: the whole source'),
    amount,
    currency,
  })
  .meta({ id: 'NewAdSpend' });
const spendShape = z
  .object({
    day,
    source: z.string(),
    campaign: z.string(),
    currency: z.string(),
    amount: z.number(),
  })
  .meta({ id: 'AdSpend' });
const cursorParts = z.tuple([day, z.string(), z.string(), z.string()]);

export interface SpendNeeds {
  db: Pool;
  cache: MetricsCache;
}

export function spendRoutes({ db, cache }: SpendNeeds): Route[] {
  const common = { tag: 'ad spend', who: 'spend', of: 'named' } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/ad-spend',
      id: 'storeAdSpend',
      says: 'Stores what was paid for advertising, JSON or CSV (day,source,campaign,amount,currency); replaces',
      takes: {
        as: ['json', 'csv'],
        bytesMax: 1024 * 1024,
        shape: z.object({ propertyId: siteName, rows: z.array(newSpend).min(1).max(ROWS_MAX) }),
        readTable: async (text, call) => ({
          propertyId: new URLSearchParams(call.querystring).get('propertyId') ?? undefined,
          rows: await readTable(text),
        }),
      },
      answers: { 200: z.object({ stored: z.int() }) },
      async run({ rows }, call) {
        const { siteId } = call.site;
        const stored = await inSites(db, siteId, (tx) => storeSpend(tx, siteId, rows));
        call.note({ details: { stored } });
        cache.clear([siteId]);
        return { stored };
      },
    }),
    route({
      ...common,
      at: 'GET /v1/ad-spend',
      id: 'listAdSpend',
      who: 'numbers',
      says: 'Lists what was paid',
      shows: 'no people',
      takes: {
        as: 'query',
        shape: z.object({ from: day, to: day, propertyId: siteName, ...paging(1000, 10_000) }),
      },
      answers: { 200: z.object({ timeZone: z.string(), rows: z.array(spendShape), nextCursor }) },
      async run({ from, to, limit, cursor }, call) {
        const { siteId } = call.site;
        const after = readCursor(cursor, cursorParts);
        const rows = await inSites(db, siteId, (tx) =>
          listSpend(tx, siteId, { from, to, after, limit: limit + 1 }),
        );
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [
          last.day,
          last.source,
          last.campaign,
          last.currency,
        ]);
        return {
          timeZone: timeZoneOf(call.site),
          rows: page.map((row) => ({ ...row, amount: Number(row.amount) })),
          nextCursor: next,
        };
      },
    }),
  ];
}

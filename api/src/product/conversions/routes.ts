// What customers tell us: conversions of their people, and what they paid for advertising. POST /v1/conversions, /v1/ad-spend.
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readBody, readRawBody } from '../../ground/http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../../ground/http/openapi-parts.ts';
import { cleanText, validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { aboutWhom } from '../../operations/audit/audit.ts';
import { visitorIdOf } from '../events/enrich.ts';
import type { MetricsCache } from '../metrics/cache.ts';
import { siteOf } from '../metrics/routes.ts';
import { day } from '../metrics/schema.ts';
import type { Sites } from '../sites/recognise.ts';

const BODY_BYTES_MAX = 1024 * 1024;
const ROWS_MAX = 5000;

const currency = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{3}$/, 'three letters such as CAD');
const amount = z
  .union([
    z.number(),
    z
      .string()
      .trim()
      .regex(/^\d{1,12}(\.\d{1,4})?$/, 'a number such as 12.50'),
  ])
  .transform(Number)
  .pipe(z.number().min(0).max(1e12));
const propertyId = z.string().trim().min(1).max(128).optional();

const conversion = z
  .object({
    id: z.string().trim().min(1).max(200).describe('yours; the same id again changes nothing'),
    kind: z.enum(['signup', 'activation', 'purchase']),
    email: z.string().trim().max(320).optional(),
    anonId: z.string().trim().min(8).max(128).optional(),
    occurredAt: z.iso.datetime({ offset: true }).optional().describe('default: now'),
    amount: amount.optional(),
    currency: currency.optional(),
  })
  .refine(({ email, anonId }) => email !== undefined || anonId !== undefined, {
    path: ['email'],
    message: 'give email or anonId',
  })
  .refine(({ amount: given, currency: of }) => (given === undefined) === (of === undefined), {
    path: ['currency'],
    message: 'amount and currency belong together',
  })
  .meta({ id: 'Conversion' });
const conversionsBody = z.union([
  z.object({ propertyId, conversions: z.array(conversion).min(1).max(500) }),
  conversion.and(z.object({ propertyId })).transform(({ propertyId: site, ...one }) => ({
    propertyId: site,
    conversions: [one],
  })),
]);

const spendRow = z
  .object({
    day,
    source: z.string().trim().min(1).max(255).describe('as in utm_source'),
    campaign: z.string().trim().max(255).default(''),
    amount,
    currency,
  })
  .meta({ id: 'AdSpend' });
const spendBody = z.object({ propertyId, rows: z.array(spendRow).min(1).max(ROWS_MAX) });
const spendQuery = z.object({ from: day, to: day, propertyId });

type Conversion = z.output<typeof conversion>;

/** returns  for each whether someone of ours is meant, and whether its id was known */
async function storeConversions(
  db: Db,
  siteId: string,
  conversions: Conversion[],
  hashAddress: (siteId: string, normalized: string) => string,
): Promise<{ id: string; matched: boolean; duplicate: boolean }[]> {
  const told = conversions.map((each) => ({
    id: each.id,
    kind: each.kind,
    email: each.email === undefined ? null : (readAddress(each.email)?.normalized ?? null),
    visitor_id: each.anonId === undefined ? null : visitorIdOf(siteId, each.anonId),
    occurred_at: each.occurredAt ?? null,
    amount: each.amount ?? null,
    currency: each.currency ?? null,
  }));
  // In one order: a capture, import or erasure of one of these addresses is either before all this or after it.
  const addresses = [...new Set(told.flatMap(({ email }) => email ?? []))].sort();
  await db.query(
    "select pg_advisory_xact_lock(hashtextextended($1 || ' ' || address, 7)) from unnest($2::text[]) as a (address)",
    [siteId, addresses],
  );
  const visitors = [...new Set(told.flatMap((each) => each.visitor_id ?? []))];
  await db.query(
    'select from visitors where site_id = $1 and visitor_id = any ($2) order by visitor_id for key share',
    [siteId, visitors],
  );
  const { rows } = await db.query<{ id: string; matched: boolean; duplicate: boolean }>(
    `with told as (
       select distinct on (id) t.*, l.lead_id from json_to_recordset($2) as t (id text, kind text, email text, visitor_id uuid,
         email_hash bytea, occurred_at timestamptz(3), amount numeric, currency text)
       left join leads l on l.site_id = $1 and l.email_normalized = t.email order by id
     ), stored as (
       insert into conversions (site_id, conversion_id, kind, origin, lead_id, visitor_id, email_hash, occurred_at, amount, currency)
       select $1, id, kind, 'server', lead_id, visitor_id, case when lead_id is null then email_hash end, coalesce(occurred_at, now()), amount, currency
       from told order by id
       on conflict do nothing returning conversion_id
     )
     select id, coalesce(told.lead_id is not null or exists (select from visitors v where v.site_id = $1 and v.visitor_id = told.visitor_id), false) as matched,
       stored.conversion_id is null as duplicate
     from told left join stored on stored.conversion_id = told.id`,
    [
      siteId,
      // The address itself is not stored: kept as the lead's id, or as a hash until there is such a lead.
      JSON.stringify(
        told.map((each) => ({ ...each, email_hash: each.email && hashAddress(siteId, each.email) })),
      ),
    ],
  );
  // CASL: who bought has agreed, by implication, for two years; a withdrawal stands (record_consent decides).
  await db.query(
    `select record_consent($1, lead_id, json_build_object('status', 'implied', 'kind', 'implied_purchase', 'basis', 'purchase',
       'source', 'server', 'occurred_at', occurred_at))
     from conversions where site_id = $1 and conversion_id = any ($2) and kind = 'purchase' and lead_id is not null order by lead_id`,
    [siteId, rows.filter((row) => !row.duplicate).map((row) => row.id)],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return conversions.map(({ id }) => byId.get(id)!);
}

async function storeSpend(db: Db, siteId: string, rows: z.output<typeof spendRow>[]): Promise<number> {
  // the last one of a key counts, as if they had been sent one after the other
  const last = new Map(
    rows.map((row) => [`${row.day}\n${row.source}\n${row.campaign}\n${row.currency}`, row] as const),
  );
  const { rowCount } = await db.query(
    `insert into ad_spend (site_id, day, source, campaign, currency, amount)
     select $1, day, source, campaign, currency, amount
     from json_to_recordset($2) as s (day date, source text, campaign text, currency text, amount numeric)
     order by day, source, campaign, currency
     on conflict (site_id, day, source, campaign, currency) do update set amount = excluded.amount, updated_at = now()`,
    [siteId, JSON.stringify([...last.values()])],
  );
  return rowCount ?? 0;
}

async function readText(ctx: Context): Promise<string> {
  const bytes = await readRawBody(ctx, BODY_BYTES_MAX, 'The table is larger than 1 MB. Send it in parts.');
  return cleanText(bytes.toString('utf8'));
}

async function readTable(text: string): Promise<Record<string, string>[]> {
  const { parse } = await import('csv-parse/sync'); // rarely needed: not in memory before
  try {
    return parse(text, {
      columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()),
      bom: true,
      skip_empty_lines: true,
      trim: true,
      to: ROWS_MAX + 1,
    });
  } catch (cause) {
    throw new AppError(
      'invalid_request',
      'This is not a table with the header day,source,campaign,amount,currency.',
      { cause },
    );
  }
}

export function outcomeRoutes({
  db,
  sites,
  cache,
  admin,
  hashAddress,
}: {
  db: Pool;
  sites: Sites;
  cache: MetricsCache;
  admin: Middleware;
  hashAddress: (siteId: string, normalized: string) => string;
}): Router {
  const router = new Router();
  const body = readBody({ bytesMax: BODY_BYTES_MAX });

  router.post('/v1/conversions', admin, body, async (ctx) => {
    const one = !('conversions' in ((ctx.state.body ?? {}) as object));
    const { propertyId: key, conversions } = validate(
      one ? conversionsBody.options[1] : conversionsBody.options[0],
      ctx.state.body,
    );
    const { siteId } = siteOf(sites, key);
    const results = await inSites(db, siteId, (client) =>
      storeConversions(client, siteId, conversions, hashAddress),
    );
    aboutWhom(ctx, { siteId, details: { conversions: results.length } });
    cache.clear([siteId]);
    ctx.body = { ok: true, ...(one ? results[0] : {}), results };
  });

  router.post(
    '/v1/ad-spend',
    admin,
    async (ctx, next) => {
      if (!ctx.is('text/csv')) return body(ctx, next);
      ctx.state.body = { propertyId: ctx.query.propertyId, rows: await readTable(await readText(ctx)) };
      return next();
    },
    async (ctx) => {
      const { propertyId: key, rows } = validate(spendBody, ctx.state.body);
      const { siteId } = siteOf(sites, key);
      const stored = await inSites(db, siteId, (client) => storeSpend(client, siteId, rows));
      aboutWhom(ctx, { siteId, details: { stored } });
      cache.clear([siteId]);
      ctx.body = { ok: true, stored };
    },
  );

  router.get('/v1/ad-spend', admin, async (ctx) => {
    const { from, to, propertyId: key } = validate(spendQuery, { ...ctx.query });
    const { siteId } = siteOf(sites, key);
    const { rows } = await inSites(db, siteId, (client) =>
      client.query(
        `select day, source, campaign, currency, amount::float8 as amount from ad_spend
         where site_id = $1 and day between $2 and $3 order by day, source, campaign, currency limit 10000`,
        [siteId, from, to],
      ),
    );
    ctx.body = { ok: true, rows };
  });
  return router;
}

const told = z.object({ id: z.string(), matched: z.boolean(), duplicate: z.boolean() });
export const outcomePaths: ZodOpenApiPathsObject = {
  '/v1/conversions': {
    post: {
      ...adminDoor,
      summary:
        'Tells what became of people (signup, activation, purchase), by email or anonId; idempotent by id',
      requestBody: jsonBody(z.object({ propertyId, conversions: z.array(conversion) })),
      responses: { 200: ok(z.looseObject({ ok: z.literal(true), results: z.array(told) })), ...refusals },
    },
  },
  '/v1/ad-spend': {
    post: {
      ...adminDoor,
      summary:
        'Stores what was paid for advertising, JSON or CSV (day,source,campaign,amount,currency); replaces',
      requestBody: {
        content: { 'application/json': { schema: spendBody }, 'text/csv': { schema: z.string() } },
      },
      responses: { 200: ok(z.object({ ok: z.literal(true), stored: z.int() })), ...refusals },
    },
    get: {
      ...adminDoor,
      summary: 'Lists what was paid',
      requestParams: { query: spendQuery },
      responses: { 200: ok(z.object({ ok: z.literal(true), rows: z.array(spendRow) })), ...refusals },
    },
  },
};

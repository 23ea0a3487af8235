// The leads behind a number: total is the number, whatever the page. Who they are is asked of /v1/leads/{leadId}.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { flag, nextCursor, pageOf, paging, readCursor, utc } from '../../../ground/http/fields.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { LEAD_FACTS } from './queries.ts';
import { report } from './report.ts';
import { count, timeZone, windowed, windowShape } from './window.ts';

const name = z.string().trim().min(1).max(255).optional();
const domainClass = z.enum(['free_mail', 'business', 'disposable']);

const query = windowed({
  source: name,
  campaign: name.describe('upper and lower case are the same, here and below'),
  utmSource: name,
  utmMedium: name,
  detail: z
    .string()
    .trim()
    .max(512)
    .optional()
    .describe('as in a row of breakdown by campaigns; empty: no utm source nor medium'),
  paidSource: name.describe('as in a row of breakdown by spend'),
  paidCampaign: name,
  domainClass: domainClass.optional(),
  verified: flag.optional(),
  signedUp: flag.optional(),
  activated: flag.optional(),
  timed: flag.optional().describe('whether the time to their first capture is known'),
  ...paging(100, 1000),
});
type Filter = z.output<typeof query>;

const answer = z
  .object({
    timeZone,
    window: windowShape,
    total: count,
    leads: z.array(
      z.object({
        leadId: z.uuid(),
        firstCapturedAt: utc,
        source: z.string(),
        campaign: z.string().nullable(),
        domainClass,
        verified: z.boolean(),
        signedUpAt: utc.nullable(),
        activatedAt: utc.nullable(),
        hoursToFirstCapture: z.number().nullable(),
      }),
    ),
    nextCursor,
  })
  .meta({ id: 'MetricsLeads' });

interface Fact {
  lead_id: string;
  first_captured_at: Date;
  source: string;
  campaign: string | null;
  domain_class: z.output<typeof domainClass>;
  verified_at: Date | null;
  signed_up_at: Date | null;
  activated_at: Date | null;
  hours: number | null;
}

async function findFacts(db: Db, site: Site, filter: Filter): Promise<{ total: number; facts: Fact[] }> {
  const after = readCursor(filter.cursor, z.tuple([utc, z.uuid()]));
  const { rows } = await db.query<{ [Name in keyof Fact]: Fact[Name] | null } & { total: number }>({
    name: 'metric_leads_behind',
    // the count stands alone in its row when the page is empty
    text: `with wanted as materialized (
       select lead_id, first_captured_at, source, campaign, domain_class, verified_at, signed_up_at, activated_at, hours from (${LEAD_FACTS}) facts
       where ($4::text is null or source = $4) and ($5::text is null or lower(campaign) = lower($5)) and ($6::text is null or domain_class = $6)
         and ($7::boolean is null or (verified_at is not null) = $7) and ($8::boolean is null or (signed_up_at is not null) = $8)
         and ($9::boolean is null or (activated_at is not null) = $9) and ($10::boolean is null or (hours is not null) = $10)
         and ($11::text is null or lower(concat_ws(' / ', utm_source, utm_medium)) = lower($11))
         and ($17::text is null or lower(utm_source) = lower($17)) and ($18::text is null or lower(utm_medium) = lower($18))
         and ($12::text is null or lower(utm_source) = lower($12)) and ($13::text is null or lower(campaign) = lower($13))
     ), page as (
       select * from wanted where $14::timestamptz is null or (first_captured_at, lead_id) > ($14, $15::uuid)
       order by first_captured_at, lead_id limit $16::int
     )
     select page.*, counted.total from (select count(*) as total from wanted) counted left join page on true
     order by first_captured_at, lead_id`,
    values: [
      site.siteId,
      filter.from,
      filter.to,
      filter.source,
      filter.campaign,
      filter.domainClass,
      filter.verified,
      filter.signedUp,
      filter.activated,
      filter.timed,
      filter.detail,
      filter.paidSource,
      filter.paidCampaign,
      after?.[0],
      after?.[1],
      filter.limit + 1,
      filter.utmSource,
      filter.utmMedium,
    ],
  });
  return {
    total: rows[0]!.total,
    facts: rows.filter((row): row is Fact & { total: number } => row.lead_id !== null),
  };
}

export const leadsBehind = report({
  name: 'leads',
  says: 'The leads behind a number; total is that number',
  query,
  answer,
  showsLeads: true,
  async read(db, site, filter) {
    const { total, facts } = await findFacts(db, site, filter);
    const { page, nextCursor: next } = pageOf(facts, filter.limit, (last) => [
      last.first_captured_at.toISOString(),
      last.lead_id,
    ]);
    return {
      timeZone: timeZoneOf(site),
      window: { from: filter.from, to: filter.to },
      total,
      leads: page.map((fact) => ({
        leadId: fact.lead_id,
        firstCapturedAt: fact.first_captured_at.toISOString(),
        source: fact.source,
        campaign: fact.campaign,
        domainClass: fact.domain_class,
        verified: fact.verified_at !== null,
        signedUpAt: fact.signed_up_at?.toISOString() ?? null,
        activatedAt: fact.activated_at?.toISOString() ?? null,
        hoursToFirstCapture: fact.hours,
      })),
      nextCursor: next,
    };
  },
  rows: ({ leads }) => leads,
});

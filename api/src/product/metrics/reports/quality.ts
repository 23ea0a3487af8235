// How far the numbers can be trusted: bots, spam, refusals, the ledger, service, and the addresses' domains.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { day } from '../../../ground/http/fields.ts';
import { percentile } from '../../../ground/lib/histogram.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { type DayRow, findDays, LEAD_FACTS } from './queries.ts';
import { report } from './report.ts';
import { botsOf, ratio, sum } from './sums.ts';
import { count, counts, happened, share, timeZone, type Window, windowed, windowShape } from './window.ts';

const dayShape = z.object({
  day,
  humanEvents: count,
  botEvents: count,
  botShare: share,
  botsByReason: counts,
  staffEvents: count,
  spamSubmissions: count,
  clampedEvents: count,
  lateEvents: count,
  received: count,
  accepted: count,
  duplicate: count,
  rejected: count,
  rejectedByReason: counts,
  balanced: z.boolean(),
  successPct: share.describe('accepted ÷ (accepted + rejected), 0..1'),
  p95LatencyMs: z.number().nullable(),
  minutesWithoutService: count,
  sealed: z.boolean(),
});
const domainsShape = z.object({
  leads: count,
  byClass: z.object({ free_mail: count, business: count, disposable: count }),
  businessShare: share,
});
const answer = z
  .object({ timeZone, window: windowShape, domains: domainsShape, days: z.array(dayShape) })
  .meta({ id: 'MetricsQuality' });

async function domainsOf(db: Db, site: Site, { from, to }: Window): Promise<z.output<typeof domainsShape>> {
  const byClass = { free_mail: 0, business: 0, disposable: 0 };
  const { rows } = await db.query<{ domain_class: keyof typeof byClass; leads: number }>({
    name: 'metric_domains',
    text: `select domain_class, count(*) as leads from (${LEAD_FACTS}) facts group by 1`,
    values: [site.siteId, from, to],
  });
  for (const row of rows) byClass[row.domain_class] = row.leads;
  const leads = sum(rows, (row) => row.leads);
  return { leads, byClass, businessShare: ratio(byClass.business, leads) };
}

const withBots = (one: DayRow) => {
  const bots = botsOf(one.botsByReason);
  return { ...bots, botShare: ratio(bots.botEvents, bots.botEvents + one.humanEvents) };
};

const qualityOf = (one: DayRow): z.output<typeof dayShape> => ({
  day: one.day,
  humanEvents: one.humanEvents,
  ...withBots(one),
  spamSubmissions:
    (one.botsByReason.spam ?? 0) + (one.rejectedByReason.honeypot ?? 0) + (one.rejectedByReason.spam ?? 0),
  clampedEvents: one.clampedEvents,
  lateEvents: one.lateEvents,
  received: one.received,
  accepted: one.accepted,
  duplicate: one.duplicate,
  rejected: one.rejected,
  rejectedByReason: one.rejectedByReason,
  balanced: one.received === one.accepted + one.duplicate + one.rejected,
  successPct: ratio(one.accepted, one.accepted + one.rejected),
  p95LatencyMs: percentile(one.latencies, 0.95),
  minutesWithoutService: one.minutesWithoutService,
  sealed: one.sealed,
});

export const quality = report({
  name: 'quality',
  says: 'How far the numbers can be trusted: bots, spam, refusals, ledger, service, domains of addresses',
  query: windowed({}),
  answer,
  async read(db, site, { from, to }) {
    const window = { from, to };
    const days = await findDays(db, site.siteId, from, happened(site, window).to, { since: from });
    return {
      timeZone: timeZoneOf(site),
      window,
      domains: await domainsOf(db, site, window),
      days: days.map(qualityOf),
    };
  },
  rows: ({ days }) => days,
});

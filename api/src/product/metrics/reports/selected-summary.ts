// The headline numbers of some visits, in the form of the summary. What is no number of visits (leads, money) is null; how all
// of it was taken in (ingest, quality) is that of the whole site.
import type { Db } from '../../../ground/db/pool.ts';
import type { Site } from '../../../ground/site.ts';
import { headlinesOf, OF_LEADS, type Read, type VisitDay } from './headline.ts';
import type { Facts } from './report.ts';
import {
  checkDays,
  countDays,
  countKinds,
  countVisitors,
  keptBefore,
  NO_VISITS,
  type SelectedDay,
  type SelectedPart,
} from './selected.ts';
import { readSummary } from './summary.ts';
import type { Summary } from './summary-shape.ts';
import { ratio, sum } from './sums.ts';
import { happened, todayOf, type Window } from './window.ts';

/** More than there are. */
const SOURCES_MAX = 1000;

async function readOf(db: Db, site: Site, window: Window, facts: Facts): Promise<Read<SelectedDay>> {
  const selection = facts.selection ?? [];
  const past = happened(site, window);
  const days = await countDays(db, site, window, selection);
  const visitors = (await countVisitors(db, site, window, selection, [past])).get(past.from);
  return { days, leads: [], spend: [], visitors: visitors ?? { visitors: 0, day: 0, returning: 0 } };
}

const totalsOf = ({ days, visitors }: Read<VisitDay>): Summary['totals'] => ({
  leads: null,
  leadsVerified: null,
  leadsSignedUp: null,
  leadsActivated: null,
  leadsTimed: null,
  returningVisitors: visitors.returning,
  entrances: sum(days, (day) => day.entrances),
  landingConversions: sum(days, (day) => day.landingConversions),
  formsStarted: sum(days, (day) => day.formsStarted),
  formsSubmitted: sum(days, (day) => day.formsSubmitted),
  spendByCurrency: {},
  spendDays: 0,
  costPerLeadByCurrency: {},
  purchases: null,
  revenueByCurrency: {},
});

function trendOf(days: readonly SelectedDay[], trend: Summary['trend']): Summary['trend'] {
  const counted = new Map(days.map((day) => [day.day, day]));
  return trend.map(({ day, partial }) => {
    const { uniqueVisitors, pageViews, sessions, formsSubmitted } = counted.get(day) ?? NO_VISITS;
    return {
      day,
      uniqueVisitors,
      pageViews,
      sessions,
      newLeads: null,
      formsSubmitted,
      botEvents: null,
      eventsAccepted: null,
      eventsRejected: null,
      partial,
    };
  });
}

/** sources  counted already, all of them */
export async function readSelectedSummary(
  db: Db,
  site: Site,
  window: Window,
  wanted: Window | null,
  facts: Facts,
  sources?: readonly SelectedPart[],
): Promise<Summary> {
  const { selection = [], retentionDays } = facts;
  await checkDays(db, site, window, retentionDays);
  const before = await keptBefore(db, site, wanted, retentionDays);
  const whole = await readSummary(db, site, window, before, facts);
  const current = await readOf(db, site, window, facts);
  // the numbers of all visits have no change either where nothing can be compared
  const isCompared =
    before !== null && window.to < todayOf(site) && whole.metrics.totalPageViews.delta !== null;
  const base = isCompared ? await readOf(db, site, before, facts) : null;
  const mix = sources ?? (await countKinds(db, site, window, selection, ['source'], SOURCES_MAX));
  const headlines = headlinesOf(current, base, false);
  for (const name of OF_LEADS) headlines[name] = { value: null, delta: null };
  const sessions = sum(mix, (source) => source.sessions);
  const { visitors } = current;
  return {
    ...whole,
    basis: 'sessions',
    compareTo: before,
    metrics: {
      ...headlines,
      trafficSourceMix: Object.fromEntries(
        mix
          .filter((source) => source.sessions > 0)
          .map((source) => [source.name, source.sessions / sessions]),
      ),
    },
    totals: totalsOf(current),
    quality: {
      ...whole.quality,
      dayVisitors: visitors.day,
      returningKnownFor: ratio(visitors.visitors - visitors.day, visitors.visitors),
    },
    trend: trendOf(current.days, whole.trend),
  };
}

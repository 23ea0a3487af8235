// Which touches a lead, its signup, its activation or what it bought is credited to.
import { z } from 'zod';
import { utc } from '../../../ground/http/fields.ts';
import { numberOf } from '../../../ground/lib/decimal.ts';
import { timeZoneOf } from '../../../ground/site.ts';
import { BY, type Credits, eachCredits, MODELS, type Model, OF, WHOLE } from './credits.ts';
import { report } from './report.ts';
import { count, timeZone, windowed, windowShape } from './window.ts';

// Rows of an answer. Sources are few; campaigns are as many as links that strangers write.
const ROWS_MAX = 5000;
/** The campaigns beyond that, together. */
const OTHER = '(other)';

const credits = z.number().min(0);
const byModel = { first: credits, last: credits, linear: credits, time_decay: credits, position: credits };
const answer = z
  .object({
    timeZone,
    window: windowShape,
    of: z.enum(OF),
    by: z.enum(BY),
    conversions: count,
    touches: count,
    touchesKnownSince: utc
      .nullable()
      .describe('touches before it were gone when some leads’ were first gathered; null: all are known'),
    conversionsBeforeThat: count.describe('for so many of the conversions touches may be missing'),
    models: z.array(z.enum(MODELS)),
    rows: z.array(
      z.object({
        source: z.string().describe('unknown: a purchase of someone who is no lead of the forms'),
        campaign: z.string().nullable().describe(`${OTHER}: those beyond ${ROWS_MAX} rows, together`),
        ...byModel,
        revenue: z
          .record(z.string(), z.object(byModel))
          .nullable()
          .describe('of purchases: amounts by currency, less what was voided; else null'),
      }),
    ),
  })
  .meta({ id: 'MetricsAttribution' });
type Answer = z.output<typeof answer>;

const nothing = <T>(zero: T): Record<Model, T> => ({
  first: zero,
  last: zero,
  linear: zero,
  time_decay: zero,
  position: zero,
});
const eachModel = <T, U>(of: Record<Model, T>, turn: (value: T) => U): Record<Model, U> => ({
  first: turn(of.first),
  last: turn(of.last),
  linear: turn(of.linear),
  time_decay: turn(of.time_decay),
  position: turn(of.position),
});

interface Credited {
  source: string;
  campaign: string | null;
  /** Whole millionths of conversions. */
  credits: Record<Model, number>;
  /** By currency, in ten-thousandths. */
  revenue: Map<string, Record<Model, bigint>>;
}

/** Adds up by source and campaign; one campaign in several spellings is one. */
function addUp() {
  const total = new Map<string, Credited>();
  const spellings = spellingsOf();
  const begin = (key: string, source: string, campaign: string | null) => {
    const row = { source, campaign, credits: nothing(0), revenue: new Map() };
    total.set(key, row);
    return row;
  };
  const rowOf = ({ source, campaign }: Credits): Credited => {
    const key = `${source}\n${campaign === null ? '' : `=${campaign.toLowerCase()}`}`;
    const row = total.get(key);
    if (row) return row;
    if (campaign === null || total.size < ROWS_MAX) return begin(key, source, campaign);
    const rest = `${source}\n=${OTHER}`;
    return total.get(rest) ?? begin(rest, source, OTHER);
  };
  function take(credits: Credits): void {
    const { campaign, currency } = credits;
    const row = rowOf(credits);
    if (campaign !== null && row.campaign !== OTHER) spellings.count(campaign, credits.touches);
    for (const model of MODELS) {
      row.credits[model] += credits[model];
      const units = credits[`${model}_units`];
      if (currency === null || units === null) continue;
      const earned = row.revenue.get(currency) ?? nothing(0n);
      earned[model] += BigInt(units);
      row.revenue.set(currency, earned);
    }
  }
  const largestFirst = () =>
    [...total.values()].sort(
      (a, b) =>
        b.credits.linear - a.credits.linear ||
        (`${a.source} ${a.campaign}` < `${b.source} ${b.campaign}` ? -1 : 1),
    );
  const shown = ({ campaign }: Credited) => (campaign === null ? null : spellings.shown(campaign));
  return { take, largestFirst, shown };
}

// of one campaign; whoever made so many will not miss the next
const SPELLINGS_MAX = 20;
/** How often campaigns came in which spelling; the most frequent is shown. */
function spellingsOf() {
  const times = new Map<string, Map<string, number>>();
  return {
    count(campaign: string, more: number): void {
      const spelt = times.get(campaign.toLowerCase()) ?? new Map<string, number>();
      times.set(campaign.toLowerCase(), spelt);
      if (spelt.has(campaign) || spelt.size < SPELLINGS_MAX)
        spelt.set(campaign, (spelt.get(campaign) ?? 0) + more);
    },
    shown(campaign: string): string {
      const spelt = times.get(campaign.toLowerCase());
      return spelt ? [...spelt].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]![0] : campaign;
    },
  };
}

const rowsOf = ({ largestFirst, shown }: ReturnType<typeof addUp>, isPurchase: boolean): Answer['rows'] =>
  largestFirst().map((row) => ({
    source: row.source,
    campaign: shown(row),
    ...eachModel(row.credits, (share) => share / WHOLE),
    revenue: isPurchase
      ? Object.fromEntries([...row.revenue].map(([currency, by]) => [currency, eachModel(by, numberOf)]))
      : null,
  }));

/**
 * The leads that were captured, signed up or were activated in the window, or the purchases made in it (by=capture: of
 * the leads first captured in the window, whenever that happened), each with the sessions of its lead's browsers before
 * that moment, at most 90 days back. Only strong links count. What has no such session is credited to its lead's own
 * first touch.
 */
export const attribution = report({
  name: 'attribution',
  says: 'Which touches leads, signups, activations or purchases are credited to, by five models',
  query: windowed({
    of: z.enum(OF).default('lead'),
    by: z
      .enum(BY)
      .default('conversion')
      .describe('whose day lies in the window: that of what is counted, or of the lead’s first capture'),
  }),
  answer,
  async read(db, site, { from, to, of, by }) {
    const window = { from, to };
    const credited = addUp();
    const told = { conversions: 0, touches: 0, unknown: 0, since: 0 };
    await eachCredits(db, site, window, { of, by }, (credits) => {
      credited.take(credits);
      told.conversions += credits.conversions;
      told.touches += credits.touches;
      told.unknown += credits.unknown;
      told.since = Math.max(told.since, credits.known_since?.getTime() ?? 0);
    });
    return {
      timeZone: timeZoneOf(site),
      window,
      of,
      by,
      conversions: told.conversions,
      touches: told.touches,
      touchesKnownSince: told.since > 0 ? new Date(told.since).toISOString() : null,
      conversionsBeforeThat: told.unknown,
      models: [...MODELS],
      rows: rowsOf(credited, of === 'purchase'),
    };
  },
  withoutMoney: (shown) => ({ ...shown, rows: shown.rows.map((row) => ({ ...row, revenue: null })) }),
  rows: ({ rows, of }) =>
    of === 'purchase'
      ? rows.map(({ revenue, ...row }) => ({ ...row, revenue: JSON.stringify(revenue) }))
      : rows.map(({ revenue: _, ...row }) => row),
});

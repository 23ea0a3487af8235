// Which touches a lead, its signup, its activation or what it bought is credited to.
import { z } from 'zod';
import { utc } from '../../../ground/http/fields.ts';
import { numberOf, splitUnits, unitsOf } from '../../../ground/lib/decimal.ts';
import { timeZoneOf } from '../../../ground/site.ts';
import { creditor, MODELS, type Model, WHOLE } from './credit.ts';
import { report } from './report.ts';
import { spellings, sum } from './sums.ts';
import { BY, findTouches, OF, type Touch } from './touches.ts';
import { count, timeZone, windowed, windowShape } from './window.ts';

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
        campaign: z.string().nullable(),
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

/** By source and campaign; one campaign in several spellings is one. */
function creditAll(paths: Iterable<Touch[]>): Credited[] {
  const total = new Map<string, Credited>();
  const shares = creditor();
  const rowOf = ({ source, campaign }: Touch): Credited => {
    const key = `${source}\n${campaign === null ? '' : `=${campaign.toLowerCase()}`}`;
    const row = total.get(key) ?? { source, campaign, credits: nothing(0), revenue: new Map() };
    total.set(key, row);
    return row;
  };
  for (const path of paths) {
    const ages = path.map((touch) => touch.age_ms);
    const { amount, currency } = path[0]!;
    for (const model of MODELS) {
      const parts = shares(model, ages);
      for (const [i, share] of parts.entries())
        rowOf(path[i]!).credits[model] += share * path[i]!.conversions;
      if (amount === null || currency === null) continue;
      for (const [i, part] of splitUnits(unitsOf(amount), parts, WHOLE).entries()) {
        const { revenue } = rowOf(path[i]!);
        const earned = revenue.get(currency) ?? nothing(0n);
        earned[model] += part;
        revenue.set(currency, earned);
      }
    }
  }
  return [...total.values()].sort(
    (a, b) =>
      b.credits.linear - a.credits.linear ||
      (`${a.source} ${a.campaign}` < `${b.source} ${b.campaign}` ? -1 : 1),
  );
}

function rowsOf(touches: Touch[], paths: Touch[][], isPurchase: boolean): Answer['rows'] {
  const shown = spellings(
    touches.flatMap(({ campaign, conversions }) =>
      campaign === null ? [] : [{ name: campaign, weight: conversions }],
    ),
  );
  return creditAll(paths).map(({ source, campaign, credits: told, revenue }) => ({
    source,
    campaign: campaign === null ? null : shown(campaign),
    ...eachModel(told, (share) => share / WHOLE),
    revenue: isPurchase
      ? Object.fromEntries([...revenue].map(([currency, by]) => [currency, eachModel(by, numberOf)]))
      : null,
  }));
}

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
    const touches = await findTouches(db, site, window, of, by);
    const alike = touches.filter(({ path }) => path === null).map((touch) => [touch]);
    const single = Map.groupBy(
      touches.filter(({ path }) => path !== null),
      ({ path }) => path,
    );
    const paths = [...single.values(), ...alike];
    const since = touches.flatMap(({ known_since }) => known_since?.getTime() ?? []);
    return {
      timeZone: timeZoneOf(site),
      window,
      of,
      by,
      conversions: sum(paths, ([first]) => first!.conversions),
      touches: sum(touches, (touch) => touch.conversions),
      touchesKnownSince: since.length > 0 ? new Date(Math.max(...since)).toISOString() : null,
      conversionsBeforeThat: sum(paths, ([first]) => first!.unknown),
      models: [...MODELS],
      rows: rowsOf(touches, paths, of === 'purchase'),
    };
  },
  rows: ({ rows, of }) =>
    of === 'purchase'
      ? rows.map(({ revenue, ...row }) => ({ ...row, revenue: JSON.stringify(revenue) }))
      : rows.map(({ revenue: _, ...row }) => row),
});

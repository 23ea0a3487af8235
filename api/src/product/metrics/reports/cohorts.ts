// Leads by week of first capture and first-touch source, and how many had got how far after 0..n weeks.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { day } from '../../../ground/http/fields.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { LEAD_FACTS } from './queries.ts';
import { type Row, report } from './report.ts';
import { sum } from './sums.ts';
import { count, timeZone, upTo, type Window, windowed, windowShape } from './window.ts';

const after = z.array(count).describe('cumulated: index n counts those who had got there n weeks after');
const answer = z
  .object({
    timeZone,
    window: windowShape,
    weeks: count,
    cohorts: z.array(
      z.object({
        week: day.describe('its Monday'),
        source: z.string(),
        captured: count,
        verified: count,
        signedUp: count,
        activated: count,
        verifiedAfter: after,
        signedUpAfter: after,
        activatedAfter: after,
      }),
    ),
  })
  .meta({ id: 'MetricsCohorts' });

type Stage = 'verified' | 'signedUp' | 'activated';
/** How many leads of a week and source had got there after so many whole weeks; every lead once as `captured`. */
interface Group {
  week: string;
  source: string;
  stage: Stage | 'captured';
  after: number;
  leads: number;
}

async function findGroups(db: Db, site: Site, { from, to }: Window, weeks: number): Promise<Group[]> {
  const whole = (at: string) =>
    `case when ${at} is not null then greatest(0, least(floor(extract(epoch from ${at} - first_captured_at) / ${7 * 86_400})::int, $4::int + 1)) end`;
  const { rows } = await db.query<Group>({
    name: 'metric_cohorts',
    text: `select date_trunc('week', day)::date as week, source, stage, after, count(*) as leads
     from (${LEAD_FACTS}) facts cross join lateral (values ('captured', 0), ('verified', ${whole('verified_at')}),
       ('signedUp', ${whole('signed_up_at')}), ('activated', ${whole('activated_at')})) got (stage, after)
     where after is not null group by 1, 2, 3, 4`,
    values: [site.siteId, from, to, weeks],
  });
  return rows;
}

const reached = (groups: Group[], stage: Group['stage']) =>
  sum(groups, (group) => (group.stage === stage ? group.leads : 0));
const reachedAfter = (groups: Group[], stage: Stage, weeks: number) =>
  Array.from({ length: weeks + 1 }, (_, n) =>
    sum(groups, (group) => (group.stage === stage && group.after <= n ? group.leads : 0)),
  );

const numbered = (name: string, numbers: number[]): Row =>
  Object.fromEntries(numbers.map((number, week) => [`${name}${week}`, number]));

export const cohorts = report({
  name: 'cohorts',
  says: 'Leads by week of first capture and source, and how far they got after 0..n weeks',
  query: windowed({ weeks: upTo(52, 12) }),
  answer,
  async read(db, site, { from, to, weeks }) {
    const window = { from, to };
    const groups = Map.groupBy(
      await findGroups(db, site, window, weeks),
      ({ week, source }) => `${week} ${source}`,
    );
    return {
      timeZone: timeZoneOf(site),
      window,
      weeks,
      cohorts: [...groups]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, cohort]) => ({
          week: key.slice(0, 10),
          source: key.slice(11),
          captured: reached(cohort, 'captured'),
          verified: reached(cohort, 'verified'),
          signedUp: reached(cohort, 'signedUp'),
          activated: reached(cohort, 'activated'),
          verifiedAfter: reachedAfter(cohort, 'verified', weeks),
          signedUpAfter: reachedAfter(cohort, 'signedUp', weeks),
          activatedAfter: reachedAfter(cohort, 'activated', weeks),
        })),
    };
  },
  rows: (told) =>
    told.cohorts.map(({ verifiedAfter, signedUpAfter, activatedAfter, ...cohort }) => ({
      ...cohort,
      ...numbered('verifiedAfter', verifiedAfter),
      ...numbered('signedUpAfter', signedUpAfter),
      ...numbered('activatedAfter', activatedAfter),
    })),
});

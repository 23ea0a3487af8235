// What one site did in a window, at the site's own address: the summary, read by the same code, so the two cannot differ; beside it
// what its notifications did, and its tests.
import { z } from 'zod';
import { day, flag } from '../../ground/http/fields.ts';
import { liftsDuring, testedShape } from '../ab-tests/lift.ts';
import { numbersShape, readNumbers } from '../counting/numbers.ts';
import { windowBefore } from '../metrics/reports/compare.ts';
import { report } from '../metrics/reports/report.ts';
import { readSummary, summary, summaryWithoutMoney } from '../metrics/reports/summary.ts';
import { summaryShape } from '../metrics/reports/summary-shape.ts';
import { format, isWindow } from '../metrics/reports/window.ts';
import { notificationIds } from '../notifications/at-work.ts';

/** As many as a site may have. */
const NOTIFICATIONS_MAX = 50;

const query = z
  .object({
    start: day,
    end: day,
    format,
    compareTo: flag
      .default(false)
      .describe('1/true/yes/on: with the window of the same length directly before'),
  })
  .superRefine(({ start, end }, context) => isWindow(start, end, context, ['start', 'end']));

/** retentionDays  for how long events are kept */
export const analyticsOf = (retentionDays: number) =>
  report({
    name: 'analytics',
    at: 'GET /v1/sites/:siteId/analytics',
    id: 'getSiteAnalytics',
    says: 'What one site did in a window, equal to the summary of it; what its notifications did, and its tests',
    query,
    answer: z.object(summaryShape.shape).meta({ id: 'SiteSummary' }),
    bucket: 'summary',
    read: (db, site, { start: from, end: to, compareTo }, facts) =>
      readSummary(db, site, { from, to }, compareTo ? windowBefore({ from, to }) : null, facts),
    withoutMoney: summaryWithoutMoney,
    rows: summary.rows,
    beside: {
      answer: z
        .object({
          ...summaryShape.shape,
          notifications: z.array(numbersShape).describe('the newest first'),
          tests: z.array(testedShape).describe('that ran in the window, the newest first; fifty at most'),
        })
        .meta({ id: 'SiteAnalytics' }),
      async read(db, site, { start, end }) {
        const window = { start, end };
        const ids = await notificationIds(db, site.siteId, null, NOTIFICATIONS_MAX);
        const now = Date.now();
        return {
          notifications: await readNumbers(db, site, ids, window, retentionDays, now),
          tests: await liftsDuring(db, site.siteId, window, now),
        };
      },
    },
  });

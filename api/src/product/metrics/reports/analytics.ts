// What one site did in a window, at the site's own address: the summary, read by the same code, so the two cannot differ.
import { z } from 'zod';
import { day, flag } from '../../../ground/http/fields.ts';
import { windowBefore } from './compare.ts';
import { report } from './report.ts';
import { readSummary, summary, summaryWithoutMoney } from './summary.ts';
import { summaryShape } from './summary-shape.ts';
import { format, isWindow } from './window.ts';

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

export const analytics = report({
  name: 'analytics',
  at: 'GET /v1/sites/:siteId/analytics',
  id: 'getSiteAnalytics',
  says: 'What one site did in a window; equal to the summary of it',
  query,
  answer: z.object(summaryShape.shape).meta({ id: 'SiteAnalytics' }),
  bucket: 'summary',
  read: (db, site, { start: from, end: to, compareTo }, facts) =>
    readSummary(db, site, { from, to }, compareTo ? windowBefore({ from, to }) : null, facts),
  withoutMoney: summaryWithoutMoney,
  rows: summary.rows,
});

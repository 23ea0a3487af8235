// The numbers: GET /v1/metrics/….
import type { Route } from '../../ground/http/route.ts';
import { type ReportNeeds, reportRoute } from './report-route.ts';
import { attribution } from './reports/attribution.ts';
import { breakdown } from './reports/breakdown.ts';
import { cohorts } from './reports/cohorts.ts';
import { leadsBehind } from './reports/leads-behind.ts';
import { page } from './reports/page.ts';
import { quality } from './reports/quality.ts';
import { realtime } from './reports/realtime.ts';
import { receipts } from './reports/receipts.ts';
import type { Report } from './reports/report.ts';
import { summary } from './reports/summary.ts';
import { timeseries } from './reports/timeseries.ts';

const REPORTS: Report[] = [
  summary,
  timeseries,
  breakdown,
  cohorts,
  attribution,
  quality,
  leadsBehind,
  realtime,
  page,
  receipts,
];

export const metricsRoutes = (needs: ReportNeeds): Route[] =>
  REPORTS.map((report) => reportRoute(report, needs));

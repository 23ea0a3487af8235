// A site's analytics: its summary, its notifications and its tests in one answer.
import type { Feature } from '../../ground/feature.ts';
import { type ReportNeeds, reportRoute } from '../metrics/report-route.ts';
import { analyticsOf } from './analytics.ts';

export const analytics: Feature<ReportNeeds> = {
  name: 'analytics',
  routes: (needs) => [reportRoute(analyticsOf(needs.config.EVENT_RETENTION_DAYS), needs)],
};

// The reader of Google Analytics 4: answers of its Data API's runReport, as JSON. Pure.
import type { Counts, Kind } from '../../../imports/kinds.ts';
import type { Days } from './days.ts';

interface Report {
  dimensionHeaders: { name: string }[];
  metricHeaders: { name: string }[];
  rows?: { dimensionValues: { value: string }[]; metricValues: { value: string }[] }[];
  rowCount?: number;
}

const KINDS: Record<string, Kind> = {
  sessionSource: 'source',
  sessionCampaignName: 'campaign',
  pagePath: 'page',
  landingPage: 'entrance',
  deviceCategory: 'device',
  browser: 'browser',
  operatingSystem: 'os',
  countryId: 'country',
  eventName: 'event',
};

const isReport = (value: unknown): value is Report =>
  typeof value === 'object' && value !== null && Array.isArray((value as Report).dimensionHeaders);

/** One answer, or a list of them, as a file may hold. */
export function reportsIn(text: string): Report[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return [];
  }
  const inside = (read as { reports?: unknown })?.reports;
  return (Array.isArray(read) ? read : Array.isArray(inside) ? inside : [read]).filter(isReport);
}

export function takeReport(
  { dimensionHeaders, metricHeaders, rows = [], rowCount }: Report,
  days: Days,
): void {
  if (rowCount !== undefined && rowCount > rows.length) days.leave('not_in_file', rowCount - rows.length);
  for (const row of rows) {
    const dims = Object.fromEntries(
      dimensionHeaders.map(({ name }, i) => [name, row.dimensionValues[i]?.value ?? '']),
    );
    const metric = Object.fromEntries(
      metricHeaders.map(({ name }, i) => [name, Number(row.metricValues[i]?.value) || 0]),
    );
    const date = dims.date ?? '';
    const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`;
    const sessions = metric.sessions ?? 0;
    const counts: Partial<Counts> = {
      visitors: metric.totalUsers ?? 0,
      visits: sessions,
      pageviews: metric.screenPageViews ?? 0,
      bounces: metric.engagedSessions === undefined ? 0 : sessions - metric.engagedSessions,
      seconds: metric.userEngagementDuration ?? 0,
      events: metric.eventCount ?? 0,
    };
    const kinds = Object.keys(dims).filter((name) => KINDS[name]);
    if (kinds.length === 0) days.add('total', day, '', counts);
    for (const name of kinds)
      days.add(
        KINDS[name]!,
        day,
        dims[name]!,
        counts,
        name === 'sessionSource' ? (dims.sessionMedium ?? '') : '',
      );
  }
}

// The readers of tables: each knows its tool's by their first row, never by the file's name. Pure.
import type { Counts, Kind, Source } from '../../../imports/kinds.ts';
import type { Days } from './days.ts';
import { pathOf, type Visits } from './visits.ts';

export interface Into {
  days: Days;
  visits: Visits;
  /** Day of an instant, in the zone that was chosen. */
  dayOf(ms: number): string;
}
type Cells = Record<string, string>;
export interface TableReader {
  source: Source;
  /** Of the names in the first row. */
  knows(has: (...names: string[]) => boolean): boolean;
  take(row: Cells, into: Into, has: (...names: string[]) => boolean): void;
}

const n = (text: string | undefined): number => Number(text) || 0;

const PLAUSIBLE: readonly (readonly [
  column: string,
  kind: Kind,
  counts: Partial<Record<keyof Counts, string>>,
])[] = [
  [
    'entry_page',
    'entrance',
    { visits: 'entrances', visitors: 'visitors', bounces: 'bounces', seconds: 'visit_duration' },
  ],
  ['exit_page', 'exit', { visits: 'exits', visitors: 'visitors' }],
  ['page', 'page', { visits: 'visits', visitors: 'visitors', pageviews: 'pageviews' }],
  ['name', 'event', { visitors: 'visitors', events: 'events' }],
];
const WHOLE = {
  visitors: 'visitors',
  visits: 'visits',
  pageviews: 'pageviews',
  bounces: 'bounces',
  seconds: 'visit_duration',
};
const countsOf = (row: Cells, names: Partial<Record<keyof Counts, string>>): Partial<Counts> =>
  Object.fromEntries(Object.entries(names).map(([count, column]) => [count, n(row[column])]));

const plausible: TableReader = {
  source: 'plausible',
  knows: (has) => has('date', 'visitors') && !has('website_id') && !has('datetime'),
  take(row, { days }, has) {
    const day = (row.date ?? '').slice(0, 10);
    for (const [column, kind, counts] of PLAUSIBLE)
      if (has(column)) return days.add(kind, day, row[column] ?? '', countsOf(row, counts));
    const whole = countsOf(row, WHOLE);
    if (has('source')) {
      days.add('source', day, row.source || 'direct', whole);
      days.add('referrer', day, row.referrer ?? '', whole);
      return days.add('campaign', day, row.utm_campaign ?? '', whole, row.utm_medium ?? '');
    }
    if (has('country')) return days.add('country', day, row.country ?? '', whole);
    if (has('device')) return days.add('device', day, (row.device ?? '').toLowerCase(), whole);
    if (has('browser')) return days.add('browser', day, row.browser ?? '', whole);
    if (has('operating_system')) return days.add('os', day, row.operating_system ?? '', whole);
    return days.add('total', day, '', whole);
  },
};

const UMAMI_BROWSERS: Record<string, string> = {
  chrome: 'Chrome',
  crios: 'Chrome',
  'edge-chromium': 'Edge',
  edge: 'Edge',
  firefox: 'Firefox',
  fxios: 'Firefox',
  ios: 'Safari',
  'ios-webview': 'Safari',
  safari: 'Safari',
  samsung: 'Samsung Internet',
  opera: 'Opera',
  yandexbrowser: 'Yandex',
};

const umami: TableReader = {
  source: 'umami',
  knows: (has) => has('website_id', 'session_id', 'url_path', 'created_at'),
  take(row, { days, visits, dayOf }) {
    // the tool writes UTC without saying so
    const at = Date.parse(`${(row.created_at ?? '').replace(' ', 'T').slice(0, 19)}Z`);
    const day = dayOf(at);
    if (!day) return days.leave('no_day');
    if (row.event_type === '2') {
      days.add('event', day, row.event_name ?? '', { events: 1 });
      return days.add('total', day, '', { events: 1 });
    }
    const path = pathOf(row.url_path || '/');
    days.add('total', day, '', { pageviews: 1 });
    days.add('page', day, path, { pageviews: 1 });
    visits.see(row.visit_id || row.session_id || '', row.session_id ?? '', day, at, path, {
      source: row.utm_source || row.referrer_domain || 'direct',
      campaign: row.utm_campaign ?? '',
      referrer: row.referrer_domain ?? '',
      country: row.country ?? '',
      device: row.device === 'laptop' ? 'desktop' : (row.device ?? ''),
      browser: UMAMI_BROWSERS[row.browser ?? ''] ?? row.browser ?? '',
      os: row.os ?? '',
    });
  },
};

const goatcounter: TableReader = {
  source: 'goatcounter',
  knows: (has) => has('Path', 'Session', 'Bot', 'Date'),
  take(row, { days, visits, dayOf }) {
    if (row.Bot && row.Bot !== '0') return days.leave('robots');
    const at = Date.parse(row.Date ?? '');
    const day = dayOf(at);
    if (!day) return days.leave('no_day');
    if (/^(1|true)$/i.test(row.Event ?? '')) {
      days.add('event', day, row.Path ?? '', { events: 1 });
      return days.add('total', day, '', { events: 1 });
    }
    const path = pathOf(row.Path || '/');
    days.add('total', day, '', { pageviews: 1 });
    days.add('page', day, path, { pageviews: 1 });
    const isCampaign = row['Referrer scheme'] === 'c';
    visits.see(`${day} ${row.Session}`, row.Session ?? '', day, at, path, {
      source: isCampaign ? 'campaign' : row.Referrer || 'direct',
      campaign: isCampaign ? (row.Referrer ?? '') : '',
      referrer: isCampaign ? '' : (row.Referrer ?? ''),
      country: (row.Location ?? '').slice(0, 2),
      browser: (row.Browser ?? '').replace(/ [\d.]+$/, ''),
      os: (row.System ?? '').replace(/ [\d.]+$/, ''),
    });
  },
};

const fathom: TableReader = {
  source: 'fathom',
  knows: (has) => has('datetime') && (has('pathname', 'pageviews') || has('event_name')),
  take(row, { days }, has) {
    const day = (row.datetime ?? '').slice(0, 10);
    if (has('event_name')) {
      const events = n(row.events ?? row.conversions ?? '1');
      days.add('event', day, row.event_name ?? '', { events });
      return days.add('total', day, '', { events });
    }
    const counts = {
      pageviews: n(row.pageviews),
      visits: n(row.visits),
      visitors: n(row.uniques ?? row.visitors),
    };
    days.add('total', day, '', counts);
    days.add('page', day, pathOf(row.pathname || '/'), counts);
  },
};

const matomo: TableReader = {
  source: 'matomo',
  knows: (has) => has('idVisit', 'serverTimestamp'),
  take(row, { days, visits, dayOf }) {
    const at = n(row.serverTimestamp) * 1000;
    const day = at > 0 ? dayOf(at) : '';
    if (!day) return days.leave('no_day');
    const facts = {
      source: row.campaignSource || row.referrerName || 'direct',
      campaign: row.campaignName ?? '',
      referrer: row.referrerType === 'website' ? (row.referrerName ?? '') : '',
      country: (row.countryCode ?? '').toUpperCase(),
      device: (row.deviceType ?? '').toLowerCase(),
      browser: row.browserName ?? '',
      os: row.operatingSystemName ?? '',
    };
    const visitor = row.visitorId ?? '';
    let views = 0;
    for (let i = 0; row[`actionDetails_${i}_type`] !== undefined; i += 1) {
      const type = row[`actionDetails_${i}_type`];
      if (type === 'action') {
        const path = pathOf(row[`actionDetails_${i}_url`] || '/');
        const then = n(row[`actionDetails_${i}_timestamp`]) * 1000 || at;
        days.add('total', day, '', { pageviews: 1 });
        days.add('page', day, path, { pageviews: 1 });
        visits.see(row.idVisit!, visitor, day, then, path, facts);
        views += 1;
      } else if (type === 'event') {
        days.add('total', day, '', { events: 1 });
        const name = row[`actionDetails_${i}_eventName`] || row[`actionDetails_${i}_eventAction`];
        days.add('event', day, name ?? '', { events: 1 });
      }
    }
    if (views === 0) visits.see(row.idVisit!, visitor, day, at, '', facts, 0);
  },
};

export const TABLE_READERS: readonly TableReader[] = [umami, goatcounter, matomo, fathom, plausible];

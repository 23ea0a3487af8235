// The words and bounds of imports, which the dashboard reads too: nothing but values.

export const SOURCES = ['plausible', 'umami', 'ga4', 'matomo', 'goatcounter', 'fathom'] as const;
export type Source = (typeof SOURCES)[number];
export const KINDS = [
  'total',
  'source',
  'campaign',
  'referrer',
  'page',
  'entrance',
  'exit',
  'country',
  'device',
  'browser',
  'os',
  'event',
] as const;
export type Kind = (typeof KINDS)[number];

export const BATCH_ROWS_MAX = 2000;
export const ROWS_MAX = 300_000;
export const IMPORTS_MAX = 5;
export const NAME_LENGTH_MAX = 512;

export const COUNTS = ['visitors', 'visits', 'pageviews', 'bounces', 'seconds', 'events'] as const;
export type Counts = Record<(typeof COUNTS)[number], number>;

// Imports from other tools, in English: in a chunk of its own, with the page that says it.
import type { Source } from '../../../../imports/kinds.ts';

export const imports = {
  title: 'From another tool',
  says: 'Days that another tool counted before this one stand beside your own numbers and are never added to them. The files are read here in the browser; only sums by day are sent.',
  open: 'Bring in days of another tool',
  before: (day: string) => `Days before ${day} can be brought in; from it on this site counts itself.`,
  how: 'Where the file is',
  steps: {
    plausible:
      'Plausible: Site settings, Imports & exports, Export data. The mail brings a zip; choose it as it is. Its days are those of the site’s zone there.',
    umami:
      'Umami Cloud: Settings, Data, Export. On a server of your own the page’s export has no days; take instead: \\copy (select e.*, s.browser, s.os, s.device, s.country from website_event e join session s using (session_id)) to website_event.csv csv header',
    ga4: 'Google Analytics 4: answers of the Data API (properties.runReport) saved as JSON: date alone, then date with one of sessionSource, sessionCampaignName, pagePath, landingPage, deviceCategory, browser, operatingSystem, countryId, eventName; metrics totalUsers, sessions, screenPageViews, engagedSessions, userEngagementDuration, eventCount. Its users are estimates.',
    matomo:
      'Matomo: the API’s Live.getLastVisitsDetails as CSV (flat=1, convertToUnicode=0), month by month. Addresses, coordinates and user ids are not read.',
    goatcounter: 'GoatCounter: Settings, Export, CSV.',
    fathom: 'Fathom: Settings, Exports: page views and events as CSV.',
  } as Record<Source, string>,
  files: 'Files',
  filesHint: 'CSV, JSON, a zip or a .gz; several at once',
  zone: 'Zone of its days',
  zoneHint: 'where the file holds moments, they are put into days of this zone',
  read: 'Read',
  reading: 'Reading…',
  found: (tool: string, days: string) => `${tool}: ${days} days`,
  span: (first: string, last: string) => `${first} to ${last}`,
  visitorDays: 'Visitors of each day, added up',
  visits: 'Visits',
  pageviews: 'Page views',
  events: 'Events',
  rows: 'Rows to send',
  leftOut: 'Left out',
  why: {
    own_days: 'days that this site counts itself',
    rare_names: 'names beyond the hundred largest of a day',
    no_day: 'rows without a day',
    broken_rows: 'rows with too few cells',
    robots: 'robots',
    unknown_files: 'files of another kind',
    not_in_file: 'rows that the answer of Google does not hold: ask for them with offset',
  } as Record<string, string>,
  bring: 'Bring them in',
  sending: (done: string, all: string) => `${done} of ${all} sent`,
  cannot: {
    nothing: 'None of these is an export that is known here.',
    mixed: 'These are exports of two tools. Bring in one at a time.',
    no_days: 'This export of Umami holds sums without days. Take the table itself, as said above.',
    zip: 'This zip cannot be read. Unpack it and choose the files in it.',
    zip64: 'This zip is too large to be read here. Unpack it and choose the files in it.',
    empty: 'There is no day in it that can be brought in.',
  } as Record<string, string>,
  list: 'Brought in',
  unfinished: 'not finished, shown nowhere',
  undo: 'Undo',
  none: 'Nothing yet.',
  back: 'Settings',
};
export type ImportsWords = typeof imports;

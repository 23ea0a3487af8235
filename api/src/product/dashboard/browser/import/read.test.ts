// Exports of other tools, made by hand in their forms: what each comes to by day, and what is left out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { NotReadable, type Read, readExport } from './read.ts';

const file = (name: string, content: string | Uint8Array) => ({
  name,
  blob: new Blob([content as BlobPart]),
});
const read = (files: ReturnType<typeof file>[], more: { timeZone?: string; before?: string } = {}) =>
  readExport(files, { timeZone: 'UTC', before: '2026-01-10', ...more });
const rows = (result: Read, kind: string) =>
  Object.fromEntries(
    (result.rows.find(([name]) => name === kind)?.[1] ?? []).map((row) => [
      `${row.day} ${row.name}`,
      [row.visitors, row.visits, row.pageviews, row.bounces, row.seconds, row.events],
    ]),
  );

/** A zip as the tools write it: entries, the list of them, the end. */
function zip(entries: Record<string, string>): Uint8Array {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(entries)) {
    const packed = deflateRawSync(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 8);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(text.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    parts.push(local, Buffer.from(name), packed);
    list.push(entry, Buffer.from(name));
    at += local.length + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(Buffer.concat(list).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...list, end]);
}

test('Plausible’s zip: days as they are, sources, pages, entrances, events; own days are left out', async () => {
  const result = await read([
    file(
      'export.zip',
      zip({
        'imported_visitors_20260101_20260110.csv':
          '"date","visitors","pageviews","bounces","visits","visit_duration"\n"2026-01-01",10,30,2,12,600\n"2026-01-10",1,1,1,1,1\n',
        'imported_sources_20260101_20260110.csv':
          'date,source,referrer,utm_source,utm_medium,utm_campaign,utm_content,utm_term,pageviews,visitors,visits,visit_duration,bounces\n2026-01-01,Google,google.com,,,,,,20,6,7,400,1\n2026-01-01,,,,mail,spring,,,10,4,5,200,1\n',
        'imported_pages_20260101_20260110.csv':
          'date,hostname,page,visits,visitors,pageviews\n2026-01-01,a.example,"/a, ""b""",5,4,9\n2026-01-01,a.example,/hello/ada@example.com,1,1,1\n',
        'imported_entry_pages_20260101_20260110.csv':
          'date,entry_page,visitors,entrances,visit_duration,bounces,pageviews\n2026-01-01,/in,3,4,50,1,8\n',
        'imported_custom_events_20260101_20260110.csv':
          'date,name,link_url,path,visitors,events\n2026-01-01,Signup,,/x,2,3\n',
        'notes.txt': 'hello\n',
      }),
    ),
  ]);
  assert.equal(result.source, 'plausible');
  assert.deepEqual(rows(result, 'total'), { '2026-01-01 ': [10, 12, 30, 2, 600, 0] });
  assert.deepEqual(rows(result, 'source'), {
    '2026-01-01 Google': [6, 7, 20, 1, 400, 0],
    '2026-01-01 direct': [4, 5, 10, 1, 200, 0],
  });
  assert.deepEqual(Object.keys(rows(result, 'campaign')), ['2026-01-01 spring']);
  assert.deepEqual(rows(result, 'page'), {
    '2026-01-01 /a, "b"': [4, 5, 9, 0, 0, 0],
    '2026-01-01 /hello/[address]': [1, 1, 1, 0, 0, 0],
  });
  assert.deepEqual(rows(result, 'entrance'), { '2026-01-01 /in': [3, 4, 0, 1, 50, 0] });
  assert.deepEqual(rows(result, 'event'), { '2026-01-01 Signup': [2, 0, 0, 0, 0, 3] });
  assert.deepEqual(result.leftOut, { unknown_files: 1, own_days: 1 });
  assert.deepEqual([result.sums.days, result.sums.first, result.sums.visits], [1, '2026-01-01', 12]);
});

const UMAMI =
  'website_id,session_id,visit_id,event_id,hostname,browser,os,device,country,url_path,url_query,referrer_domain,utm_source,utm_campaign,event_type,event_name,created_at\n';

test('Umami’s events become visits by the chosen zone’s days, in whatever order they come', async () => {
  const text = `${UMAMI}w,s1,v1,e2,a.example,crios,iOS,mobile,CA,/b,,,news,spring,1,,2026-01-02 04:31:00
w,s1,v1,e1,a.example,crios,iOS,mobile,CA,/a?x=1,,google.com,,,1,,2026-01-02 04:30:00
w,s1,v2,e3,a.example,crios,iOS,mobile,CA,/c,,,,,1,,2026-01-02 15:00:00
w,s1,v2,e4,a.example,crios,iOS,mobile,CA,/c,,,,,2,order,2026-01-02 15:00:05
w,s2,v3,e5,a.example,chrome,Linux,laptop,DE,/a,,,,,1,,not a time
`;
  const result = await read([file('website_event.csv.gz', gzipSync(text))], { timeZone: 'America/Toronto' });
  assert.equal(result.source, 'umami');
  assert.deepEqual(rows(result, 'total'), {
    '2026-01-01 ': [1, 1, 2, 0, 60, 0],
    '2026-01-02 ': [1, 1, 1, 1, 0, 1],
  });
  assert.deepEqual(Object.keys(rows(result, 'entrance')), ['2026-01-01 /a', '2026-01-02 /c']);
  assert.deepEqual(Object.keys(rows(result, 'source')), ['2026-01-01 google.com', '2026-01-02 direct']);
  assert.deepEqual(Object.keys(rows(result, 'browser')), ['2026-01-01 Chrome', '2026-01-02 Chrome']);
  assert.deepEqual(result.leftOut, { no_day: 1 });
});

test('Umami’s own-server export has no days, and is refused', async () => {
  await assert.rejects(
    read([file('export.json', '{"zip": "UEsD"}')]),
    (error) => error instanceof NotReadable && error.message === 'no_days',
  );
});

test('GoatCounter’s hits: robots are left out, visits are sessions, the version before the first name is none', async () => {
  const result = await read([
    file(
      'goatcounter.csv',
      `2Path,Title,Event,User-Agent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date
/a,A,false,,Firefox 120,Linux,s1,0,example.org,h,"1,2,3",CA-ON,true,2026-01-03T10:00:00Z
/b,B,false,,Firefox 120,Linux,s1,0,,o,"1,2,3",CA-ON,false,2026-01-03T10:02:00Z
buy,Buy,true,,Firefox 120,Linux,s1,0,,o,"1,2,3",CA-ON,false,2026-01-03T10:03:00Z
/a,A,false,,curl,,s2,5,,o,,,true,2026-01-03T11:00:00Z
`,
    ),
  ]);
  assert.deepEqual(rows(result, 'total'), { '2026-01-03 ': [1, 1, 2, 0, 120, 1] });
  assert.deepEqual(Object.keys(rows(result, 'browser')), ['2026-01-03 Firefox']);
  assert.deepEqual(Object.keys(rows(result, 'country')), ['2026-01-03 CA']);
  assert.deepEqual(result.leftOut, { robots: 1 });
});

test('Matomo’s visits, in UTF-16: as many actions as the longest has; an event alone is a visit', async () => {
  const at = Date.parse('2026-01-04T12:00:00Z') / 1000;
  const text = `idVisit,visitorId,userId,serverTimestamp,referrerType,referrerName,campaignName,browserName,operatingSystemName,deviceType,countryCode,latitude,actionDetails_0_type,actionDetails_0_timestamp,actionDetails_0_url,actionDetails_1_type,actionDetails_1_timestamp,actionDetails_1_url,actionDetails_1_eventAction
1,aa,ada@example.com,${at + 60},search,Google,,Safari,Mac,Desktop,ca,43.6,action,${at},https://a.example/in?q=1,action,${at + 60},https://a.example/out,
2,aa,,${at + 500},direct,,,Safari,Mac,Desktop,ca,43.6,,,,event,${at + 500},,play
`;
  const result = await read([file('visits.csv', Buffer.from(`\ufeff${text}`, 'utf16le'))]);
  assert.equal(result.source, 'matomo');
  assert.deepEqual(rows(result, 'total'), { '2026-01-04 ': [1, 2, 2, 0, 60, 1] });
  assert.deepEqual(Object.keys(rows(result, 'exit')), ['2026-01-04 /out']);
  assert.ok(!JSON.stringify(result).includes('43.6') && !JSON.stringify(result).includes('ada@'));
});

test('Fathom’s page views and events', async () => {
  const result = await read([
    file(
      'pageviews.csv',
      'datetime,hostname,pathname,pageviews,uniques\n2026-01-05 10:00:00,a.example,/a,4,2\n',
    ),
    file('events.csv', 'datetime,event_name\n2026-01-05 10:00:00,order\n'),
  ]);
  assert.deepEqual(rows(result, 'total'), { '2026-01-05 ': [2, 0, 4, 0, 0, 1] });
});

test('Google Analytics 4 by runReport: estimated users, engaged sessions are no bounces, missing rows are said', async () => {
  const report = (dims: string[], values: string[][], rowCount = values.length) => ({
    dimensionHeaders: dims.map((name) => ({ name })),
    metricHeaders: ['totalUsers', 'sessions', 'screenPageViews', 'engagedSessions'].map((name) => ({ name })),
    rows: values.map((row) => ({
      dimensionValues: row.slice(0, dims.length).map((value) => ({ value })),
      metricValues: row.slice(dims.length).map((value) => ({ value })),
    })),
    rowCount,
  });
  const result = await read([
    file('all.json', JSON.stringify([report(['date'], [['20260106', '5', '7', '20', '4']])])),
    file(
      'by-source.json',
      JSON.stringify(
        report(
          ['date', 'sessionSource', 'sessionMedium'],
          [['20260106', 'google', 'organic', '5', '7', '20', '4']],
          3,
        ),
      ),
    ),
  ]);
  assert.equal(result.source, 'ga4');
  assert.deepEqual(rows(result, 'total'), { '2026-01-06 ': [5, 7, 20, 3, 0, 0] });
  assert.deepEqual(Object.keys(rows(result, 'source')), ['2026-01-06 google']);
  assert.deepEqual(result.leftOut, { not_in_file: 2 });
});

test('what is nobody’s export is refused, and so are two tools’ at once', async () => {
  const why = async (files: ReturnType<typeof file>[]) =>
    read(files).then(
      () => null,
      (error: Error) => error.message,
    );
  assert.equal(await why([file('a.csv', 'one,two\n1,2\n')]), 'nothing');
  assert.equal(await why([file('a.zip', 'PK no zip at all')]), 'zip');
  const fathom = file('p.csv', 'datetime,hostname,pathname,pageviews\n2026-01-05 10:00:00,a,/a,4\n');
  const plausible = file(
    'v.csv',
    'date,visitors,pageviews,bounces,visits,visit_duration\n2026-01-01,1,1,1,1,1\n',
  );
  assert.equal(await why([fathom, plausible]), 'mixed');
});

test('of a day a hundred names of a kind are kept, the largest', async () => {
  const lines = Array.from({ length: 130 }, (_, n) => `2026-01-01,a.example,/p${n},1,1,${n + 1}`);
  const result = await read([
    file('pages.csv', `date,hostname,page,visits,visitors,pageviews\n${lines.join('\n')}\n`),
  ]);
  const kept = Object.keys(rows(result, 'page'));
  assert.equal(kept.length, 100);
  assert.equal(kept[0], '2026-01-01 /p129');
  assert.deepEqual(result.leftOut, { rare_names: 30 });
});

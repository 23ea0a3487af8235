// One wrong field never costs the rest: whatever junk stands in an optional field, the event is stored as if it were not there.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { fitted, forgive as readEvent } from './forgive.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const whole = (): Record<string, unknown> => ({
  ...makeEvent({ anonId: `visitor-${randomUUID()}` }),
  path: '/menu?utm_term=rye',
  timestamp: Date.now() - 1000,
  referrer: 'https://www.google.com/',
  utm: { source: 'newsletter', medium: 'email', campaign: 'spring', term: 'bread', content: 'red' },
  propertyId: 'default',
  traffic: {
    deviceType: 'mobile',
    countryCode: 'CA',
    isEntrance: true,
    isExit: false,
    isConversion: true,
    engagedTimeMs: 1200,
    scrollDepthPercent: 50,
    webVitals: { fcpMs: 1, lcpMs: 2, inpMs: 3, ttfbMs: 4, clsScore: 0.1 },
  },
  props: { plan: 'loaf', nested: { deep: [1, 'two'] } },
  honeypot: '',
});

const OPTIONAL = [
  'eventId',
  'referrer',
  'utm',
  ...['source', 'medium', 'campaign', 'term', 'content'].map((name) => `utm.${name}`),
  'traffic',
  ...[
    'deviceType',
    'countryCode',
    'isEntrance',
    'isExit',
    'isConversion',
    'engagedTimeMs',
    'scrollDepthPercent',
  ].map((name) => `traffic.${name}`),
  'traffic.webVitals',
  ...['fcpMs', 'lcpMs', 'inpMs', 'ttfbMs', 'clsScore'].map((name) => `traffic.webVitals.${name}`),
  'props',
];
const nested = (depth: number): unknown => (depth === 0 ? 'x' : { in: nested(depth - 1) });
const JUNK: Record<string, unknown> = {
  null: null,
  'an empty text': '',
  'a blank': ' \t ',
  'a number out of every range': 1e21,
  'a negative number': -1,
  'a list': [1, 'two', null],
  'an empty list': [],
  'a list of lists': [[[]]],
  'nested junk': { a: { b: [{ c: null }] } },
  'junk nested too deep': nested(20),
  'true in a list': [true],
};

function withField(event: Record<string, unknown>, path: string, value?: unknown): Record<string, unknown> {
  const copy = structuredClone(event);
  const names = path.split('.');
  const last = names.pop()!;
  const holder = names.reduce<Record<string, unknown>>(
    (part, name) => part[name] as Record<string, unknown>,
    copy,
  );
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

/** Whether the rules take this value, so that it is no junk there. */
const isTaken = (path: string, value: unknown) =>
  (['props'].includes(path) && typeof value === 'object' && value !== null && !Array.isArray(value)) ||
  // an object all of whose names are unknown is one that says nothing
  (['utm', 'traffic', 'traffic.webVitals'].includes(path) &&
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value));

const cases = OPTIONAL.flatMap((path) =>
  Object.entries(JUNK)
    .filter(([, value]) => !isTaken(path, value))
    .map(([what, value]) => ({ path, what, value })),
);

test('an event with junk in any one optional field is the event without that field, and says so', () => {
  assert.ok(cases.length > 200);
  for (const { path, what, value } of cases) {
    const event = whole();
    const junk = readEvent(withField(event, path, value));
    const without = readEvent(withField(event, path));
    const about = `${path} with ${what}`;
    assert.deepEqual(without.warnings, [], about);
    assert.deepEqual(junk.event, without.event, about);
    assert.deepEqual([...new Set(junk.warnings.map((warning) => warning.path))], [path], about);
    for (const { message } of junk.warnings) assert.match(message, /^was (left out|cut)/, about);
  }
});

test('junk in every optional field at once still leaves the event', () => {
  for (const value of Object.values(JUNK)) {
    let event = whole();
    for (const path of OPTIONAL.filter((one) => !one.includes('.'))) event = withField(event, path, value);
    assert.equal(readEvent(event).event.anonId, event.anonId);
  }
});

test('a text that is too long is cut, not lost', () => {
  const event = whole();
  for (const [path, max] of [
    ['path', 2048],
    ['referrer', 2048],
    ['utm.source', 255],
    ['utm.content', 255],
  ] as const) {
    const long = path === 'path' ? `/${'a'.repeat(3000)}` : `https://a.example/${'é'.repeat(3000)}`;
    const read = readEvent(withField(event, path, long));
    const kept = path
      .split('.')
      .reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], read.event);
    assert.equal(kept, long.slice(0, max));
    assert.deepEqual(read.warnings, [{ path, message: `was cut at ${max} characters` }]);
  }
});

test('of props that are too much what fits is kept', () => {
  const kept = (props: unknown) => readEvent({ ...whole(), props }).event.props as Record<string, unknown>;
  assert.deepEqual(kept({ a: 1, long: 'x'.repeat(5000) }), { a: 1, long: 'x'.repeat(2048) });
  assert.deepEqual(kept({ a: 1, deep: nested(12) }).a, 1);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, i]));
  assert.equal(Object.keys(kept(many)).length, 64);
  const large = {
    ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`key${i}`, 'é'.repeat(2000)])),
    z: 1,
  };
  const fit = kept(large);
  assert.ok(Buffer.byteLength(JSON.stringify(fit)) <= 8192);
  assert.equal(fit.z, 1);
  assert.deepEqual(fitted(fit), fit);
});

test('what identifies an event is refused when it is wrong, with its path', () => {
  const wrong: [string, unknown][] = [
    ...[undefined, null, '', 7, {}, 'x'.repeat(65)].map((value): [string, unknown] => ['eventType', value]),
    ...[undefined, null, '', 7, []].map((value): [string, unknown] => ['path', value]),
    ...['short', 7, [], 'x'.repeat(129)].map((value): [string, unknown] => ['anonId', value]),
    ...[true, false, 'yesterday', '', {}, -1, 1e300].map((value): [string, unknown] => ['timestamp', value]),
    ...[7, {}, [], 'x'.repeat(129)].map((value): [string, unknown] => ['propertyId', value]),
  ];
  for (const [path, value] of wrong)
    assert.throws(
      () => readEvent({ ...withField(whole(), path, value), referrer: null }),
      (error: { code: string; issues: { path: string }[] }) =>
        error.code === 'invalid_request' && error.issues.some((issue) => issue.path === path),
      `${path}: ${JSON.stringify(value)}`,
    );
  for (const body of [null, 7, 'text', [], [whole()]]) assert.throws(() => readEvent(body));
});

test('a site that is named by nothing, and a time that is null, are not named at all', () => {
  for (const blank of ['', '  ', null]) {
    const { propertyId: _, ...event } = whole();
    const named = { ...event, propertyId: blank, timestamp: null };
    assert.deepEqual(readEvent(named).warnings, []);
    assert.equal(readEvent(named).event.propertyId, undefined);
    assert.equal(
      readEvent({ ...event, traffic: { propertyId: blank } }).event.traffic?.propertyId,
      undefined,
    );
  }
});

/** Stored rows without what differs between any two events. */
async function stored(eventIds: string[]): Promise<Map<string, unknown>> {
  const { rows } = await server.database.owner.query(
    `select e.event_id, to_jsonb(e) - '{event_id,visitor_id,session_id,received_at}'::text[] as event,
       to_jsonb(s) - '{session_id,visitor_id,last_activity_at}'::text[] as session
     from events e join sessions s using (site_id, session_id) where event_id = any ($1)`,
    [eventIds],
  );
  return new Map(rows.map((row) => [row.event_id, { event: row.event, session: row.session }]));
}

test('stored, an event with junk equals the event without it, alone and in a batch', async () => {
  const sent = cases.filter((_, i) => i % 3 === 0);
  const at = Date.now() - 1000;
  const pairs = sent.map(({ path, value }) => {
    const make = () => ({ ...whole(), timestamp: at });
    return path === 'eventId'
      ? [withField(make(), path, value), make()]
      : [withField(make(), path, value), withField(make(), path)];
  });
  const results: { eventId: string; warnings?: { path: string }[] }[][] = [];
  for (let i = 0; i < pairs.length; i += 20) {
    const batch = pairs.slice(i, i + 20).flat();
    const { status, body } = await call(`${server.url}/v1/events`, 'POST', { events: batch });
    assert.equal(status, 202);
    for (let j = 0; j < batch.length; j += 2) results.push(body.results.slice(j, j + 2));
  }
  const rows = await stored(results.flat().map(({ eventId }) => eventId));
  for (const [i, [junk, without]] of results.entries()) {
    const about = `${sent[i]!.path} with ${sent[i]!.what}`;
    assert.deepEqual(
      junk!.warnings?.map(({ path }) => path),
      [sent[i]!.path],
      about,
    );
    assert.equal(without!.warnings, undefined);
    assert.ok(rows.get(junk!.eventId), about);
    assert.deepEqual(rows.get(junk!.eventId), rows.get(without!.eventId), about);
  }
  const alone = await call(`${server.url}/v1/events`, 'POST', { ...whole(), referrer: '' });
  assert.equal(alone.status, 202);
  assert.deepEqual(
    alone.body.warnings.map(({ path }: { path: string }) => path),
    ['referrer'],
  );
});

test('a picture with empty or endless parameters is still a page view', async () => {
  const long = 'x'.repeat(3000);
  const query = `propertyId=&path=/junk-pixel&referrer=https://a.example/${long}&utm_source=${long}&utm_medium=`;
  const answer = await call(`${server.url}/v1/pixel.gif?${query}`, 'GET');
  assert.equal(answer.status, 200);
  const { rows } = await server.database.owner.query("select utm from events where path = '/junk-pixel'");
  assert.deepEqual(rows, [{ utm: { source: 'x'.repeat(255) } }]);
});

test('who asks without a user agent, or for the head alone, is a robot', async () => {
  const pixel = (path: string, init: RequestInit) =>
    fetch(`${server.url}/v1/pixel.gif?path=${path}`, init).then((answer) => assert.equal(answer.status, 200));
  await pixel('/robot-head', { method: 'HEAD', headers: { 'user-agent': BROWSER } });
  await pixel('/robot-nameless', { headers: { 'user-agent': '' } });
  await call(`${server.url}/v1/events`, 'POST', {
    ...whole(),
    path: '/robot-referrer',
    referrer: 'http://www.semalt.com/x',
  });
  await call(`${server.url}/v1/events`, 'POST', {
    ...whole(),
    path: '/robot-person',
    referrer: 'http://notsemalt.com/x',
  });
  const { rows } = await server.database.owner.query(
    "select split_part(path, '?', 1) as path, bot_reason from events where path like '/robot-%' order by path",
  );
  assert.deepEqual(
    rows.map((row) => [row.path, row.bot_reason]),
    [
      ['/robot-head', 'head'],
      ['/robot-nameless', 'no_user_agent'],
      ['/robot-person', null],
      ['/robot-referrer', 'referrer_spam'],
    ],
  );
});

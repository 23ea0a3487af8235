// The contract of POST /v1/events, over a real port into a real PostgreSQL 18.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ago, anon, hours, makeEvent, minutes } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const post = (body: unknown, headers?: Record<string, string>) =>
  call(`${server.url}/v1/events`, 'POST', body, headers);
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const eventOf = async (eventId: unknown) =>
  (await rows('select * from events where event_id = $1', [eventId]))[0];

/** The ledger's counts, after what is gathered in memory was written. */
async function ledger(): Promise<Record<string, number>> {
  await server.services.ledger.flush();
  const counts = await rows(
    "select outcome || case when reason <> '' then ':' || reason else '' end as what, sum(count)::int as n from ingest_ledger group by 1",
  );
  return Object.fromEntries(counts.map((row) => [row.what, row.n]));
}
function assertBalanced(counts: Record<string, number>): void {
  const rejected = Object.entries(counts).reduce(
    (sum, [what, n]) => (what.startsWith('rejected') ? sum + n : sum),
    0,
  );
  assert.equal(
    counts.received ?? 0,
    (counts.accepted ?? 0) + (counts.duplicate ?? 0) + rejected,
    JSON.stringify(counts),
  );
}

test('an event is answered with its ids after it was stored', async () => {
  const event = makeEvent({ anonId: anon() });
  const { status, body } = await post(event);
  assert.equal(status, 202);
  assert.deepEqual(Object.keys(body), ['ok', 'eventId', 'visitorId', 'sessionId']);
  const stored = await eventOf(event.eventId);
  assert.equal(stored.visitor_id, body.visitorId);
  assert.equal(stored.session_id, body.sessionId);
  assert.equal(stored.bot_reason, null);
});

test('20 identical beacons at once are one event, and the ledger says 19 duplicates', async () => {
  const before = await ledger();
  const event = makeEvent({ anonId: anon() });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => post(JSON.stringify(event), { 'content-type': 'text/plain' })),
  );
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([202]));
  assert.equal(
    new Set(answers.map(({ body }) => `${body.eventId} ${body.visitorId} ${body.sessionId}`)).size,
    1,
  );
  assert.equal(answers.filter(({ body }) => body.duplicate === true).length, 19);
  assert.equal((await rows('select from events where event_id = $1', [event.eventId])).length, 1);
  const after = await ledger();
  assert.equal(after.accepted! - before.accepted!, 1);
  assert.equal((after.duplicate ?? 0) - (before.duplicate ?? 0), 19);
  assertBalanced(after);
});

test('20 events of a new visitor at once are one visitor and one session', async () => {
  const anonId = anon();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => post(makeEvent({ anonId, path: `/${i}` }))),
  );
  assert.equal(new Set(answers.map(({ body }) => body.visitorId)).size, 1);
  assert.equal(new Set(answers.map(({ body }) => body.sessionId)).size, 1);
  const visitorId = answers[0]!.body.visitorId;
  assert.equal((await rows('select from sessions where visitor_id = $1', [visitorId])).length, 1);
  assert.equal((await rows('select from events where visitor_id = $1', [visitorId])).length, 20);
});

test('two processes that serve the same new visitor at once agree on one session', async () => {
  const second = await startServer({}, server.database);
  try {
    for (let round = 0; round < 10; round += 1) {
      const anonId = anon();
      const shared = makeEvent({ anonId });
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          call(`${(i % 2 ? second : server).url}/v1/events`, 'POST', i < 4 ? shared : makeEvent({ anonId })),
        ),
      );
      assert.equal(new Set(answers.map(({ body }) => body.sessionId)).size, 1, `round ${round}`);
      assert.equal(
        (await rows('select from events where visitor_id = $1', [answers[0]!.body.visitorId])).length,
        7,
      );
    }
  } finally {
    await second.stop();
  }
});

test('without eventId, the same type, path and client time of a visitor are one event', async () => {
  const event = makeEvent({ anonId: anon(), eventId: undefined, timestamp: Date.now() - 5000 });
  const first = await post(event);
  const again = await post({ ...event, props: { other: 'words' } }, { 'user-agent': 'another browser' });
  assert.equal(again.body.duplicate, true);
  assert.equal(again.body.eventId, first.body.eventId);
  const later = await post({ ...event, timestamp: (event.timestamp as number) + 1 });
  assert.equal(later.body.duplicate, undefined);
});

test('with neither id nor time, the same body within 30 s is one event, and after 30 s another', async () => {
  const event = makeEvent({ anonId: anon(), eventId: undefined });
  const first = await post(event);
  const again = await post(event);
  assert.equal(again.body.duplicate, true);
  assert.deepEqual([again.body.eventId, again.body.sessionId], [first.body.eventId, first.body.sessionId]);
  await rows("update recent_bodies set seen_at = seen_at - interval '31 seconds' where event_id = $1", [
    first.body.eventId,
  ]);
  const later = await post(event);
  assert.equal(later.body.duplicate, undefined);
  assert.notEqual(later.body.eventId, first.body.eventId);
});

test('the same eventId on another site is another event, even in one batch', async () => {
  const key = `site-${randomUUID()}`;
  assert.equal((await call(`${server.url}/v1/sites`, 'POST', { key }, admin)).status, 201);
  const event = makeEvent({ anonId: anon() });
  const { body } = await post({ events: [event, { ...event, propertyId: key }, event] });
  assert.deepEqual(
    body.results.map((result: { duplicate?: boolean }) => result.duplicate ?? false),
    [false, false, true],
  );
  assert.equal((await rows('select from events where event_id = $1', [event.eventId])).length, 2);
});

test('sessions end after 30 minutes of silence, by event time', async () => {
  const anonId = anon();
  const now = Date.now();
  const at = (ms: number) => post(makeEvent({ anonId, timestamp: now - ms }));
  const first = (await at(minutes(100))).body.sessionId;
  assert.equal((await at(minutes(71))).body.sessionId, first);
  const second = (await at(minutes(40))).body.sessionId;
  assert.notEqual(second, first);
  const [closed] = await rows('select * from sessions where session_id = $1', [first]);
  assert.equal(
    closed.last_activity_at.getTime(),
    now - minutes(71),
    'the end of a session is its last activity',
  );
});

test('a late event joins the session it belongs to by time, moves no activity backwards and splits nothing', async () => {
  const anonId = anon();
  const now = Date.now();
  const at = (ms: number) => post(makeEvent({ anonId, timestamp: now - ms }));
  const early = (await at(minutes(200))).body.sessionId;
  const recent = (await at(minutes(20))).body.sessionId;
  assert.equal((await at(minutes(190))).body.sessionId, early);
  assert.equal((await at(minutes(25))).body.sessionId, recent);
  const late = (await at(minutes(195))).body.sessionId;
  assert.equal(late, early);
  const sessions = await rows('select * from sessions where session_id = any ($1) order by started_at', [
    [early, recent],
  ]);
  assert.equal(sessions[0].last_activity_at.getTime(), now - minutes(190));
  assert.equal(sessions[1].last_activity_at.getTime(), now - minutes(20));
  assert.equal(sessions[1].started_at.getTime(), now - minutes(25), 'an earlier event is the first touch');
});

test('a late event that bridges two visits makes them one', async () => {
  const anonId = anon();
  const at = (ms: number) => post(makeEvent({ anonId, timestamp: ago(ms) }));
  const first = (await at(minutes(60))).body;
  await at(minutes(10));
  assert.equal((await at(minutes(35))).body.sessionId, first.sessionId);
  assert.equal((await rows('select from sessions where visitor_id = $1', [first.visitorId])).length, 1);
  assert.deepEqual(
    await rows('select distinct session_id from events where visitor_id = $1', [first.visitorId]),
    [{ session_id: first.sessionId }],
  );
});

test('a new campaign starts a session, the same one or none does not', async () => {
  const anonId = anon();
  const at = (ms: number, utm?: object) =>
    post(makeEvent({ anonId, timestamp: ago(ms), ...(utm ? { utm } : {}) })).then(
      ({ body }) => body.sessionId,
    );
  const plain = await at(minutes(20));
  const spring = await at(minutes(18), { source: 'news', campaign: 'spring' });
  assert.notEqual(spring, plain);
  assert.equal(await at(minutes(16)), spring);
  assert.equal(await at(minutes(14), { source: 'news', campaign: 'spring' }), spring);
  const autumn = await at(minutes(12), { source: 'news', campaign: 'autumn' });
  assert.notEqual(autumn, spring);
  const [session] = await rows('select * from sessions where session_id = $1', [autumn]);
  assert.deepEqual(session.utm, { source: 'news', campaign: 'autumn' });
});

test('the sessions of a day do not depend on the order in which its events come', async () => {
  // seeded, so that a failure can be repeated
  let seed = 20261121;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const describe = async (visitorId: string) =>
    (
      await rows(
        `select s.started_at, s.last_activity_at, s.landing_path, s.utm, s.source, (select count(*)::int from events e where e.session_id = s.session_id) as events
         from sessions s where visitor_id = $1 order by started_at, landing_path`,
        [visitorId],
      )
    ).map((row) => JSON.stringify(row));
  const rounds = Array.from({ length: 15 }, () => {
    const base = Date.now() - hours(20);
    const events = Array.from({ length: 12 }, (_, i) => ({
      timestamp: Math.floor(base + random() * hours(8)),
      path: `/${i}`,
      ...(random() < 0.3 ? { utm: { source: 'ads', campaign: random() < 0.5 ? 'a' : 'b' } } : {}),
    }));
    return {
      inOrder: events.toSorted((a, b) => a.timestamp - b.timestamp),
      shuffled: events.toSorted(() => random() - 0.5),
      batched: events.toSorted(() => random() - 0.5),
    };
  });
  type Events = (typeof rounds)[number]['inOrder'];
  const oneByOne = async (list: Events) => {
    const anonId = anon();
    let visitorId = '';
    for (const event of list) visitorId = (await post(makeEvent({ ...event, anonId }))).body.visitorId;
    return describe(visitorId);
  };
  const inOneBatch = async (list: Events) => {
    const anonId = anon();
    const { body } = await post({ events: list.map((event) => makeEvent({ ...event, anonId })) });
    return describe(body.results[0].visitorId);
  };
  // the rounds at once: they are of different visitors, and each request would wait for a batch of its own
  await Promise.all(
    rounds.map(async ({ inOrder, shuffled, batched }, round) => {
      const expected = await oneByOne(inOrder);
      assert.deepEqual(await oneByOne(shuffled), expected, `round ${round}`);
      assert.deepEqual(await inOneBatch(batched), expected, `round ${round}, one batch`);
    }),
  );
});

test("a browser's clock is clamped into the last 24 hours and the next 5 minutes, and marked", async () => {
  const old = makeEvent({ anonId: anon(), timestamp: '2001-01-01T00:00:00Z' });
  const future = makeEvent({ anonId: anon(), timestamp: Date.now() + hours(48) });
  const fine = makeEvent({ anonId: anon(), timestamp: ago(minutes(3)) });
  for (const event of [old, future, fine]) assert.equal((await post(event)).status, 202);
  const a = await eventOf(old.eventId);
  assert.equal(a.clamped, true);
  assert.equal(a.received_at - a.occurred_at, hours(24));
  const b = await eventOf(future.eventId);
  assert.equal(b.clamped, true);
  assert.equal(b.occurred_at - b.received_at, minutes(5));
  const c = await eventOf(fine.eventId);
  assert.equal(c.clamped, false);
  assert.equal(c.occurred_at.toISOString(), fine.timestamp);
});

for (const [what, fields, path] of [
  ['a short anonId', { anonId: '  short  ' }, 'anonId'],
  ['an empty type', { eventType: '   ' }, 'eventType'],
  ['a type of 65 characters', { eventType: 'x'.repeat(65) }, 'eventType'],
  ['no path', { path: undefined }, 'path'],
  ['a boolean timestamp', { timestamp: true }, 'timestamp'],
  ['a nonsense timestamp', { timestamp: 'yesterday' }, 'timestamp'],
  ['an impossible day', { timestamp: '2026-02-30T00:00:00Z' }, 'timestamp'],
  ['an unknown propertyId', { propertyId: 'nobody' }, 'propertyId'],
] as const) {
  test(`${what} is refused with the path of the fault, and counted`, async () => {
    const before = await ledger();
    const { status, body } = await post(makeEvent({ anonId: anon(), ...fields }));
    assert.equal(status, 400);
    assert.equal(body.ok, false);
    assert.equal(body.error, 'invalid_request');
    assert.equal(body.issues[0].path, path);
    assert.match(body.requestId, /^[0-9a-f-]{36}$/);
    const after = await ledger();
    assert.equal(after['rejected:invalid_request']! - (before['rejected:invalid_request'] ?? 0), 1);
    assertBalanced(after);
  });
}

for (const [what, fields, path] of [
  ['a path of 2049 characters', { path: `/${'x'.repeat(2048)}` }, 'path'],
  ['a wrong eventId', { eventId: 'not-a-uuid' }, 'eventId'],
  ['a utm of 256 characters', { utm: { source: 'x'.repeat(256) } }, 'utm.source'],
  ['a country of three letters', { traffic: { countryCode: 'CAN' } }, 'traffic.countryCode'],
  ['a device nobody knows', { traffic: { deviceType: 'toaster' } }, 'traffic.deviceType'],
  ['a scroll depth of 101', { traffic: { scrollDepthPercent: 101 } }, 'traffic.scrollDepthPercent'],
  ['a negative paint', { traffic: { webVitals: { lcpMs: -1 } } }, 'traffic.webVitals.lcpMs'],
  ['an isConversion of 1', { traffic: { isConversion: 1 } }, 'traffic.isConversion'],
  ['65 props', { props: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, i])) }, 'props'],
  ['props of depth 9', { props: JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) }, 'props'],
  ['a prop of 2049 characters', { props: { a: 'x'.repeat(2049) } }, 'props'],
  [
    'props of over 8 KB',
    { props: Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`k${i}`, 'x'.repeat(2000)])) },
    'props',
  ],
] as const) {
  test(`${what} costs the event nothing else, and is named in the answer`, async () => {
    const before = await ledger();
    const { status, body } = await post(makeEvent({ anonId: anon(), ...fields }));
    assert.equal(status, 202);
    assert.deepEqual(
      body.warnings.map((warning: { path: string }) => warning.path),
      [path],
    );
    assert.ok(await eventOf(body.eventId));
    const after = await ledger();
    assert.equal(after.accepted! - before.accepted!, 1);
    assertBalanced(after);
  });
}

test('NUL and lone surrogates are cleaned, and what could reach a prototype is dropped', async () => {
  const eventId = randomUUID();
  const raw = `{"eventId":"${eventId}","anonId":"${anon()}","eventType":"page_view","path":"/a\\u0000b","props":{"k\\u0000ey":"x\\ud800y\\u0000","__proto__":{"polluted":true},"constructor":1,"big":1e400,"ok":"\\ud83d\\ude00"}}`;
  const { status } = await post(raw);
  assert.equal(status, 202);
  const stored = await eventOf(eventId);
  assert.equal(stored.path, '/ab');
  assert.deepEqual(stored.props, { key: 'xy', big: null, ok: '😀' });
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('hostile bodies get a 4xx with a stable code, never a 5xx', async () => {
  const deep = (open: string, close: string) => `${open.repeat(10_000)}${close.repeat(10_000)}`;
  const cases: [string, string, string, number][] = [
    ['depth 10 000, arrays', deep('[', ']'), 'application/json', 400],
    ['depth 10 000, objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'application/json', 400],
    ['half a JSON', '{"anonId":', 'application/json', 400],
    ['a bare string', '"hello"', 'application/json', 400],
    ['a bare null as a beacon', 'null', 'text/plain', 400],
    ['an array', '[]', 'application/json', 400],
    ['nothing', '', 'application/json', 400],
    ['an empty batch', '{"events":[]}', 'application/json', 400],
    ['a batch of strings', '{"events":["a","b"]}', 'application/json', 400],
    ['a batch that is no list', '{"events":{"0":1}}', 'application/json', 400],
    ['depth 50 000 in 100 KB', '['.repeat(100_000), 'application/json', 413],
    ['66 KB', JSON.stringify(makeEvent({ filler: 'x'.repeat(66_000) })), 'application/json', 413],
    ['an event of 33 KB', JSON.stringify(makeEvent({ filler: 'x'.repeat(33_000) })), 'application/json', 413],
    [
      'an event of 11 000 characters in 33 KB',
      JSON.stringify(makeEvent({ filler: '€'.repeat(11_000) })),
      'application/json',
      413,
    ],
    ['XML', '<a/>', 'application/xml', 415],
    [
      'a timestamp of 1e16',
      '{"anonId":"abcdefgh","eventType":"a","path":"/","timestamp":1e16}',
      'application/json',
      400,
    ],
    ['Latin letters as utf-16', 'abc', 'application/json; charset=utf-16', 400],
  ];
  for (const [what, body, type, status] of cases) {
    const answer = await post(body, { 'content-type': type });
    assert.ok(
      answer.status === status || (status === 400 && answer.status === 415),
      `${what}: ${answer.status}`,
    );
    assert.match(answer.body.error, /^[a-z0-9_]{1,64}$/, what);
  }
  assertBalanced(await ledger());
});

test('depth 50 000 within the size limit does not overflow anything', async () => {
  const { status, body } = await post(`{"events":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
  assert.equal(status, 400);
  assert.equal(body.error, 'invalid_request');
});

test('one bad event costs its neighbours nothing', async () => {
  const good = [makeEvent({ anonId: anon() }), makeEvent({ anonId: anon() })];
  const before = await ledger();
  const { status, body } = await post({ events: [good[0], { anonId: 'x' }, good[1]] });
  assert.equal(status, 202);
  assert.equal(body.results[0].eventId, good[0]!.eventId);
  assert.equal(body.results[1].error, 'invalid_request');
  assert.ok(body.results[1].issues.length > 0);
  assert.equal(body.results[2].eventId, good[1]!.eventId);
  const after = await ledger();
  assert.equal(after.received! - before.received!, 3);
  assertBalanced(after);
});

test('a poison row among 200 good ones is refused alone', async () => {
  // A trigger stands for a value that no validation foresaw.
  await rows(`create function refuse_poison() returns trigger language plpgsql as $$
    begin if new.path = '/poison' then raise exception 'poison' using errcode = '22000'; end if; return new; end $$`);
  await rows('create trigger poison before insert on events for each row execute function refuse_poison()');
  try {
    const events = Array.from({ length: 201 }, (_, i) =>
      makeEvent({ anonId: anon(), path: i === 77 ? '/poison' : `/${i}` }),
    );
    const answers = await Promise.all(events.map((event) => post(event)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      events.map((event) => (event.path === '/poison' ? 400 : 202)),
    );
    const stored = await rows('select event_id from events where event_id = any ($1)', [
      events.map((event) => event.eventId),
    ]);
    assert.equal(stored.length, 200);
    assertBalanced(await ledger());
  } finally {
    await rows('drop trigger poison on events');
  }
});

test('a honeypot hit is answered like any other and stored only as a rejection', async () => {
  const before = await ledger();
  const event = makeEvent({ anonId: anon(), honeypot: 'http://spam.example' });
  const { status, body } = await post(event);
  assert.equal(status, 202);
  assert.deepEqual(Object.keys(body), ['ok', 'eventId', 'visitorId', 'sessionId']);
  assert.equal(await eventOf(event.eventId), undefined);
  const after = await ledger();
  assert.equal((after['rejected:honeypot'] ?? 0) - (before['rejected:honeypot'] ?? 0), 1);
  const blank = makeEvent({ anonId: anon(), honeypot: '   ' });
  await post(blank);
  assert.ok(await eventOf(blank.eventId));
});

test('bots are stored with the reason and stay countable', async () => {
  const cases: [string, Record<string, string>, object][] = [
    [
      'user_agent',
      { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' },
      {},
    ],
    ['declared', {}, { traffic: { deviceType: 'bot' } }],
    ['prefetch', { 'sec-purpose': 'prefetch;prerender' }, {}],
  ];
  for (const [reason, headers, fields] of cases) {
    const event = makeEvent({ anonId: anon(), ...fields });
    assert.equal((await post(event, headers)).status, 202);
    assert.equal((await eventOf(event.eventId)).bot_reason, reason);
  }
});

test('device, browser and system come from the user agent, source from the first touch', async () => {
  const { body } = await post(
    makeEvent({
      anonId: anon(),
      referrer: 'https://www.google.ca/search?q=secret',
      path: '/p?utm_campaign=x&email=ada@example.com&gclid=1',
    }),
    {
      'user-agent':
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    },
  );
  const [session] = await rows('select * from sessions where session_id = $1', [body.sessionId]);
  assert.deepEqual([session.device_type, session.browser, session.os], ['mobile', 'Safari', 'iOS']);
  assert.equal(session.source, 'paid_search');
  assert.equal(session.landing_path, '/p?utm_campaign=x&gclid=1');
  assert.equal(session.referrer, 'https://www.google.ca/search');
  assert.deepEqual(session.utm, { campaign: 'x' });
});

test('GPC and DNT are kept as a flag', async () => {
  for (const headers of [{ 'sec-gpc': '1' }, { dnt: '1' }] as Record<string, string>[]) {
    const { body } = await post(makeEvent({ anonId: anon() }), headers);
    assert.equal((await eventOf(body.eventId)).privacy_signal, true);
    assert.equal(
      (await rows('select privacy_signal from visitors where visitor_id = $1', [body.visitorId]))[0]
        .privacy_signal,
      true,
    );
  }
});

test('addresses and user agents are stored only as keyed hashes', async () => {
  const { body } = await post(makeEvent({ anonId: anon(), ip: '203.0.113.9', visitorId: randomUUID() }), {
    'user-agent': BROWSER,
  });
  const [visitor] = await rows('select * from visitors where visitor_id = $1', [body.visitorId]);
  assert.equal(visitor.ip_hash.length, 32);
  assert.equal(visitor.ua_hash.length, 32);
});

test('an unknown route, a wrong method and a body nobody reads have the shape of every refusal', async () => {
  for (const [path, method, status, code] of [
    ['/nowhere', 'GET', 404, 'not_found'],
    ['/v1/events', 'GET', 405, 'method_not_allowed'],
    ['/v1/sites', 'GET', 401, 'unauthorized'],
    ['/v1/events/%ff', 'GET', 404, 'not_found'],
  ] as const) {
    const answer = await call(server.url + path, method);
    assert.equal(answer.status, status, path);
    assert.equal(answer.body.ok, false);
    assert.equal(answer.body.error, code);
    assert.equal(answer.headers.get('x-request-id'), answer.body.requestId);
  }
});

test('the pixel counts a page view of a page without JavaScript and is never cached', async () => {
  const answer = await call(
    `${server.url}/v1/pixel.gif?path=/no-script&utm_source=leaflet`,
    'GET',
    undefined,
    { referer: 'http://localhost:1/other' },
  );
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'image/gif');
  assert.match(answer.headers.get('cache-control') ?? '', /no-store/);
  const [event] = await rows("select * from events where path = '/no-script'");
  assert.deepEqual([event.event_type, event.utm], ['page_view', { source: 'leaflet' }]);
});

test('events keep coming in on a day nobody made a partition for', async () => {
  const partitions = await rows(
    "select relid::regclass::text as name from pg_partition_tree('events') where isleaf",
  );
  for (const { name } of partitions) await rows(`drop table ${name}`);
  const { status } = await post(makeEvent({ anonId: anon() }));
  assert.equal(status, 202);
});

test('the ledger balances for everything this file has sent', async () => {
  const counts = await ledger();
  assertBalanced(counts);
  assert.ok(counts.accepted! > 100);
});

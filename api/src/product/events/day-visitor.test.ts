// Visitors without an id of their own, over the real API into a real PostgreSQL 18.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runConfined } from '../../../test/container.ts';
import { ago, hours, makeEvent, minutes } from '../../../test/make.ts';
import { idOf, partitions } from '../../../test/record.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { dayVisitorId, openDaySalts, renewSalts, saltsOf } from './day-visitor.ts';
import { type ArrivedEvent, enrich } from './enrich.ts';
import { ingestEvents } from './queries.ts';
import { eventInput } from './schema.ts';

let server: TestServer;
let people = 0;
/** A browser nobody else in this file has. */
const browser = () => {
  people += 1;
  return { 'user-agent': `${BROWSER} Person/${people}` };
};
before(async () => {
  server = await startServer();
  for (const key of ['bakery', 'florist', 'quiet', 'numbers'])
    await call(`${server.url}/v1/sites`, 'POST', { key, name: key }, admin);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const siteOf = (key: string) => server.services.sites.list().find((site) => site.key === key)!;
const page = (headers: Record<string, string>, fields: Record<string, unknown> = {}) =>
  call(
    `${server.url}/v1/events`,
    'POST',
    makeEvent({ anonId: undefined, propertyId: 'bakery', ...fields }),
    headers,
  );

test('three people who read four pages each without an id are three visitors in three sessions', async () => {
  const answers = [];
  for (const person of [browser(), browser(), browser()])
    for (const path of ['/', '/bread', '/cake', '/order']) answers.push((await page(person, { path })).body);
  assert.equal(new Set(answers.map(({ visitorId }) => visitorId)).size, 3);
  assert.equal(new Set(answers.map(({ sessionId }) => sessionId)).size, 3);
  const sessions = await rows('select source from sessions where session_id = any ($1)', [
    answers.map(({ sessionId }) => sessionId),
  ]);
  assert.deepEqual(new Set(sessions.map(({ source }) => source)), new Set(['direct']));
});

test('the pixel, a form without JavaScript and the script without an id are one person', async () => {
  const person = browser();
  const pixel = await fetch(`${server.url}/v1/pixel.gif?propertyId=bakery&path=/offer&utm_source=flyer`, {
    headers: person,
  });
  assert.equal(pixel.status, 200);
  const { body: event } = await page(person, { path: '/form' });
  const email = 'pixel@example.com';
  const form = await call(
    `${server.url}/v1/leads/capture`,
    'POST',
    new URLSearchParams({ email, propertyId: 'bakery' }).toString(),
    { 'content-type': 'application/x-www-form-urlencoded', ...person },
  );
  assert.equal(form.status, 303);
  const events = await rows(
    'select event_type, session_id, path from events where visitor_id = $1 order by occurred_at',
    [event.visitorId],
  );
  assert.deepEqual(
    events.map(({ event_type }) => event_type),
    ['page_view', 'page_view', 'form_submit'],
  );
  assert.equal(new Set(events.map(({ session_id }) => session_id)).size, 1);
  const [lead] = await rows(
    'select l.*, i.confidence, i.link_source from leads l join lead_identities i using (site_id, lead_id) where email = $1',
    [email],
  );
  assert.equal(lead.first_visitor_id, event.visitorId);
  assert.deepEqual([lead.first_path, lead.first_utm], ['/offer', { source: 'flyer' }]);
  assert.deepEqual([lead.link_source, lead.confidence], ['form_submit', 0.9]);
});

test('the confidence in a day visitor is shared out when several left their address from there', async () => {
  const person = browser();
  for (const name of ['ada', 'grace', 'edith'])
    await call(
      `${server.url}/v1/leads/capture`,
      'POST',
      { email: `${name}.shared@example.com`, propertyId: 'bakery' },
      person,
    );
  const links = await rows(
    "select i.confidence from lead_identities i join leads using (site_id, lead_id) where email like '%.shared@example.com'",
  );
  assert.deepEqual(
    links.map(({ confidence }) => Math.round(confidence * 100)),
    [30, 30, 30],
  );
});

test('a form sent by a day visitor under GPC makes no link, as ever', async () => {
  const { body } = await call(
    `${server.url}/v1/leads/capture`,
    'POST',
    { email: 'gpc.day@example.com', propertyId: 'bakery' },
    { ...browser(), 'sec-gpc': '1' },
  );
  assert.deepEqual(await rows('select from lead_identities where visitor_id = $1', [body.visitorId]), []);
});

test('no hash of address or user agent is kept of a day visitor, who takes part in no heuristic link', async () => {
  const person = browser();
  const { body } = await page(person);
  const [visitor] = await rows('select * from visitors where visitor_id = $1', [body.visitorId]);
  assert.deepEqual([visitor.is_day_visitor, visitor.ip_hash, visitor.ua_hash], [true, null, null]);
  const lead = (fields: object) =>
    call(`${server.url}/v1/leads/capture`, 'POST', { propertyId: 'bakery', ...fields }, person);
  // another browser id at the same address, before and after
  await page(person, { anonId: 'neighbour-with-an-id' });
  await lead({ email: 'neighbour.day@example.com' });
  await lead({ email: 'neighbour.own@example.com', anonId: 'another-with-an-id' });
  const links = await rows(
    "select l.email, i.visitor_id from lead_identities i join leads l using (site_id, lead_id) where link_source = 'same_ip_ua_window' and email like 'neighbour.%'",
  );
  assert.deepEqual(
    links.filter(
      ({ email, visitor_id }) => email === 'neighbour.day@example.com' || visitor_id === body.visitorId,
    ),
    [],
  );
});

test('the same person on two sites is two day visitors, and two of a kind behind one address are one', async () => {
  const person = browser();
  const there = await page(person);
  const elsewhere = await page(person, { propertyId: 'florist' });
  const twin = await page({ ...person });
  assert.notEqual(there.body.visitorId, elsewhere.body.visitorId);
  assert.equal(there.body.visitorId, twin.body.visitorId);
});

test('of an IPv6 address the /64 counts, of an IPv4 address all of it', () => {
  const salt = Buffer.alloc(32, 1);
  const id = (address: string, userAgent = 'one', key = salt) =>
    dayVisitorId(key, 'site', { address, userAgent });
  assert.equal(id('2001:db8:1:2:3:4:5:6'), id('2001:db8:1:2::9'));
  assert.notEqual(id('2001:db8:1:2::9'), id('2001:db8:1:3::9'));
  assert.notEqual(id('192.0.2.1'), id('192.0.2.2'));
  assert.notEqual(id('192.0.2.1'), id('192.0.2.1', 'two'));
  assert.notEqual(id('192.0.2.1'), id('192.0.2.1', 'one', Buffer.alloc(32, 2)));
});

test('an event sent twice without an id of its own is stored once, by its time or by its body', async () => {
  const person = browser();
  for (const fields of [{ timestamp: Date.now() - 4000 }, { path: '/twice' }]) {
    const event = { eventId: undefined, ...fields };
    const first = await page(person, event);
    const again = await page(person, event);
    assert.equal(again.body.duplicate, true);
    assert.equal(again.body.eventId, first.body.eventId);
    assert.notEqual((await page(browser(), event)).body.eventId, first.body.eventId);
  }
});

test('the browser and the server telling of one submission of a day visitor count once', async () => {
  const person = browser();
  const eventId = idOf('one submission');
  await page(person, { eventId, eventType: 'form_submit', path: '/order' });
  const { body } = await call(
    `${server.url}/v1/leads/capture`,
    'POST',
    { email: 'once.day@example.com', propertyId: 'bakery', eventId },
    person,
  );
  const events = await rows('select event_id from events where visitor_id = $1', [body.visitorId]);
  assert.deepEqual(events, [{ event_id: eventId }]);
});

// A midnight of two days ago, with salts of its own.
const MIDNIGHT = Date.parse(`${addDays(dayOf(Date.now()), -1)}T00:00:00Z`);
const CROSSINGS: [string, number[], number][] = [
  // minutes after midnight at which pages were seen; visits that come of it
  ['a visit that goes on past midnight is one', [-10, -1, 5, 25], 1],
  ['it stays one however long it goes on', [-5, 20, 45, 70, 95], 1],
  ['after half an hour of silence it is another visit, by a visitor nobody can recognise', [-20, 11], 2],
  ['a visit that begins after midnight is one', [1, 20, 45], 1],
];
for (const [what, pages, visits] of CROSSINGS)
  for (const together of [false, true])
    test(`${what}${together ? ', when its pages come in one batch too' : ''}`, async () => {
      await partitions(server.database.owner, dayOf(MIDNIGHT - hours(24)), dayOf(MIDNIGHT + hours(24)));
      await saltsOf(server.database.app, [dayOf(MIDNIGHT - 1), dayOf(MIDNIGHT)]);
      const salts = await openDaySalts(server.database.app, server.services.log);
      const { siteId } = siteOf('quiet');
      const client = {
        address: '192.0.2.7',
        userAgent: String(browser()['user-agent']),
        ipHash: '\\x00',
        uaHash: '\\x00',
      };
      const arrived: ArrivedEvent[] = [];
      for (const minute of pages) {
        const receivedMs = MIDNIGHT + minutes(minute);
        const row = enrich(
          eventInput.parse(makeEvent({ anonId: undefined, timestamp: receivedMs })),
          {
            siteId,
            ownHosts: [],
            client,
            country: null,
            privacySignal: false,
            prefetch: false,
            receivedMs,
            dayVisitor: await salts.find(client, siteId, receivedMs),
          },
          null,
        );
        row.received_at = new Date(receivedMs).toISOString();
        arrived.push(row);
      }
      salts.close();
      const batches = together ? [arrived] : arrived.map((row) => [row]);
      const stored = [];
      for (const batch of batches)
        stored.push(...(await ingestEvents(server.database.app, batch, new Map(), 30)).values());
      assert.equal(new Set(stored.map(({ sessionId }) => sessionId)).size, visits);
      assert.equal(new Set(stored.map(({ visitorId }) => visitorId)).size, visits);
    });

test('two processes that meet at midnight have one salt, of 32 bytes, and forget it when it is 48 h old', async () => {
  const { app } = server.database;
  const day = '2031-05-05';
  const both = await Promise.all([saltsOf(app, [day]), saltsOf(app, [day]), saltsOf(app, [day])]);
  assert.equal(new Set(both.map((salts) => salts.get(day)!.toString('hex'))).size, 1);
  assert.equal(both[0]!.get(day)!.length, 32);
  const salts = () =>
    rows("select day::text from day_salts where day between '2031-05-01' and '2031-05-31' order by 1");
  const at = (text: string) => Date.parse(`${text}Z`);
  await rows('update day_salts set made_at = $1 where day = $2', ['2031-05-04T23:30:00Z', day]);
  await renewSalts(app, at('2031-05-05T12:00:00'));
  assert.deepEqual(await salts(), [{ day }]);
  // made ahead only within the hour before midnight
  await renewSalts(app, at('2031-05-05T23:10:00'));
  assert.deepEqual(await salts(), [{ day }, { day: '2031-05-06' }]);
  await renewSalts(app, at('2031-05-06T23:29:00'));
  assert.ok((await salts()).some((salt) => salt.day === day));
  await renewSalts(app, at('2031-05-06T23:31:00'));
  assert.ok(!(await salts()).some((salt) => salt.day === day));
});

test('quality says how many visitors have no id of their own; what they cannot be asked is null', async () => {
  const summary = async () => {
    await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
    const today = dayOf(Date.now());
    const { body } = await call(
      `${server.url}/v1/metrics/summary?from=${addDays(today, -2)}&to=${today}&propertyId=numbers`,
      'GET',
      undefined,
      admin,
    );
    const { uniquesMethod, dayVisitors, returningKnownFor } = body.quality;
    return {
      uniques: body.metrics.uniqueVisitors.value,
      returning: body.metrics.returningVisitorsPct.value,
      uniquesMethod,
      dayVisitors,
      returningKnownFor,
    };
  };
  const person = browser();
  const visit = { propertyId: 'numbers', traffic: {} };
  await page(person, visit);
  await page({ ...person }, visit); // someone beside them with the same browser
  await page(browser(), visit);
  assert.deepEqual(await summary(), {
    uniques: 2,
    returning: null,
    uniquesMethod: 'with_day_visitors',
    dayVisitors: 2,
    returningKnownFor: 0,
  });
  await page(browser(), { ...visit, anonId: 'an-id-of-its-own', timestamp: ago(hours(1)) });
  await page(browser(), { ...visit, anonId: 'another-of-its-own' });
  assert.deepEqual(await summary(), {
    uniques: 4,
    returning: 0,
    uniquesMethod: 'with_day_visitors',
    dayVisitors: 2,
    returningKnownFor: 0.5,
  });
});

test("a person's day visitor moves to a nameless one when they are erased", async () => {
  const person = browser();
  const email = 'erased.day@example.com';
  const { body: seen } = await page(person, { path: '/private' });
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, propertyId: 'bakery' }, person);
  const { status } = await call(
    `${server.url}/v1/leads/delete`,
    'POST',
    { email, propertyId: 'bakery' },
    admin,
  );
  assert.equal(status, 200);
  for (const table of ['visitors', 'sessions', 'events', 'event_keys'])
    assert.deepEqual(await rows(`select from ${table} where visitor_id = $1`, [seen.visitorId]), [], table);
  const { body: back } = await page(person);
  assert.deepEqual(await rows('select path from events where visitor_id = $1', [back.visitorId]), [
    { path: '/' },
  ]);
});

test('clients that name every site there is are not remembered on each of them', async () => {
  const said = await runConfined(`
    const { openDaySalts } = await import(${JSON.stringify(new URL('day-visitor.ts', import.meta.url).href)});
    const salt = Buffer.alloc(32, 7);
    const day = new Date().toISOString().slice(0, 10);
    const db = { query: async () => ({ rows: [{ day, salt }] }) };
    const salts = await openDaySalts(db, console);
    const clients = Array.from({ length: 40 }, (_, n) => ({ address: '192.0.2.' + n, userAgent: 'a browser' }));
    for (let site = 0; site < 8000; site += 1)
      for (const client of clients) salts.known(client, 'site ' + site, Date.now());
    salts.close();
    console.log(clients.length);`);
  assert.equal(said.trim(), '40');
});

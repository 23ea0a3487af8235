// The feed: what is counted is shown, what is taken back goes at once, and who asks costs no query.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { COUNT, feedOf, feedWhen, heardAll, newSite, orders, running } from '../../../test/claims.ts';
import { address, ago, hours, makeEvent } from '../../../test/make.ts';
import { type Answer, admin, call, QUICK_FEEDS, startServer, type TestServer } from '../../../test/server.ts';
import { delayMs } from './acts.ts';
import { said } from './claims.ts';
import { bestLanguage, dayInWords } from './words.ts';

let server: TestServer;
before(async () => {
  server = await startServer({}, undefined, undefined, QUICK_FEEDS);
});
after(() => server.end());

const textsOf = async (key: string, more = '') =>
  (await feedOf(server, key, more)).items.map(({ variants }) => variants[0]!.text);
// Asked by itself: whether the database answers, and which processes there are.
const BY_ITSELF = /^select 1$|pg_notify\('process_beats'/;
/** As browsers load what stands in a frame. */
const FRAMED = { accept: 'text/html', 'sec-fetch-dest': 'iframe' };
function isEmptyFrame({ status, headers, body }: Answer, expected: number): void {
  assert.deepEqual(
    [status, headers.get('content-type'), headers.get('refresh'), headers.get('cache-control')],
    [expected, 'text/html; charset=utf-8', '30', 'no-store'],
  );
  assert.equal(headers.get('x-frame-options'), null);
  assert.doesNotMatch(headers.get('content-security-policy')!, /frame-ancestors/);
  assert.match(
    body,
    /^<!doctype html><title>.<\/title>$/,
    'no word, and not nothing: browsers would fill it',
  );
}
const isEmpty = (texts: string[]) => texts.length === 0;

test('below its minimum a notification runs and shows nothing, and says why; from it on it shows the number', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 4);
  const id = await running(server, key);
  assert.deepEqual(await textsOf(key), []);
  const shown = async () =>
    (await call(`${server.url}/v1/sites/${key}/notifications/${id}`, 'GET', undefined, admin)).body
      .notification;
  assert.deepEqual([(await shown()).showing, (await shown()).why], [false, 'below_minimum']);
  const preview = await call(
    `${server.url}/v1/sites/${key}/notifications/${id}/preview`,
    'POST',
    undefined,
    admin,
  );
  assert.deepEqual([preview.body.value, preview.body.minimum, preview.body.why], [4, 5, 'below_minimum']);
  await orders(server, key, 1);
  await call(
    `${server.url}/v1/sites/${key}/notifications/${id}`,
    'PATCH',
    { name: 'looked at anew' },
    { ...admin, 'if-match': '"2"' },
  );
  assert.deepEqual(await textsOf(key), ['5 people bought in 30 days']);
  assert.deepEqual([(await shown()).showing, (await shown()).why], [true, null]);
});

test('a preview says what changes would say before any is kept, and refuses what could not be kept', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 4);
  const id = await running(server, key);
  const url = `${server.url}/v1/sites/${key}/notifications/${id}`;
  const texts = { fr: { other: '{count} personnes en {days} jours' } };
  const changes = { texts, claim: { ...COUNT.claim, minimum: 3 } };
  const { status, body } = await call(`${url}/preview`, 'POST', changes, admin);
  assert.deepEqual([status, body.showing, body.why], [200, true, null]);
  assert.deepEqual(body.cards, { fr: [{ text: '4 personnes en 30 jours', review: null }] });
  const typed = await call(
    `${url}/preview`,
    'POST',
    { texts: { en: { other: '{count} of 900 people in {days} days' } } },
    admin,
  );
  assert.deepEqual(
    [typed.status, typed.body.error, typed.body.issues[0].path],
    [422, 'unbacked_claim', 'texts.en.other'],
  );
  const kept = (await call(url, 'GET', undefined, admin)).body.notification;
  assert.deepEqual([kept.version, kept.texts, kept.claim.minimum], [2, COUNT.texts, 5]);
});

test('of a draft and of one that pauses a preview says what is wrong with its content, before it runs', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 4);
  const site = `${server.url}/v1/sites/${key}/notifications`;
  const made = await call(site, 'POST', COUNT, admin);
  const { notificationId } = made.body.notification;
  const why = async (changes: object = {}, id = notificationId) => {
    const { body } = await call(`${site}/${id}/preview`, 'POST', changes, admin);
    return [body.showing, body.why];
  };
  assert.deepEqual(await why(), [false, 'below_minimum']);
  assert.deepEqual(await why({ claim: { ...COUNT.claim, minimum: 3 } }), [false, 'draft']);
  const act = { ...COUNT, kind: 'recent_activity', claim: { ...COUNT.claim, minimum: 3 } };
  const other = await call(site, 'POST', { ...act, texts: { en: { other: '{name}, {when}' } } }, admin);
  assert.deepEqual(await why({}, other.body.notification.notificationId), [false, 'nothing_to_tell']);
  const id = await running(server, key);
  const move = (status: string, version: number) =>
    call(`${site}/${id}`, 'PATCH', { status }, { ...admin, 'if-match': `"${version}"` });
  await move('paused', 2);
  assert.deepEqual(await why({}, id), [false, 'below_minimum']);
  await move('ended', 3);
  assert.deepEqual(await why({}, id), [false, 'ended']);
});

test('rows that do not count are not counted: staff, what a browser told, other products, what is too old', async () => {
  const { key, siteId } = await newSite(server);
  const where = { product: 'sourdough' };
  await orders(server, key, 5, { products: ['sourdough', 'rye'] });
  await orders(server, key, 3, { products: ['rye'] });
  await orders(server, key, 3, { products: ['sourdough'], occurredAt: ago(hours(24 * 31)) });
  const anonId = randomUUID();
  const { body } = await call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId, propertyId: key }));
  await orders(server, key, 1, { anonId, products: ['sourdough'] });
  const judged = { propertyId: key, visitorId: body.visitorId, bot: true, kind: 'staff' };
  assert.equal((await call(`${server.url}/v1/admin/bots`, 'POST', judged, admin)).status, 200);
  await server.database.owner.query(
    `insert into conversions (site_id, conversion_id, kind, origin, visitor_id, occurred_at, items)
     values ($1, 'forged', 'purchase', 'browser', gen_random_uuid(), now(), '{sourdough}')`,
    [siteId],
  );
  const id = await running(server, key, { ...COUNT, claim: { ...COUNT.claim, where } });
  assert.deepEqual(await textsOf(key), ['5 people bought in 30 days']);
  const preview = await call(
    `${server.url}/v1/sites/${key}/notifications/${id}/preview`,
    'POST',
    undefined,
    admin,
  );
  assert.deepEqual(preview.body.excluded, { bots: 0, staff: 1, voided: 0 });
});

test('who buys several times is one', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 7, { anonId: 'the-same-browser' });
  await running(server, key, { ...COUNT, claim: { ...COUNT.claim, minimum: 3 } });
  assert.deepEqual(await textsOf(key), []);
});

test('a refund, an erasure and a change are in the next feed, in every process', async () => {
  const { key } = await newSite(server);
  const ids = await orders(server, key, 5);
  await running(server, key);
  const other = await startServer({}, server.database);
  try {
    for (const one of [server, other]) assert.equal((await feedOf(one, key)).items.length, 1);
    const voided = {
      propertyId: key,
      id: ids[0],
      kind: 'purchase',
      anonId: 'x-browser-1',
      voidedAt: new Date().toISOString(),
    };
    assert.equal((await call(`${server.url}/v1/conversions`, 'POST', voided, admin)).status, 200);
    for (const one of [server, other]) assert.deepEqual(await feedWhen(one, key, isEmpty), []);
    const email = address();
    await orders(server, key, 1, { anonId: undefined, email });
    await call(`${server.url}/v1/sites/${key}`, 'PATCH', { settings: { till: 1 } }, admin);
    assert.equal((await feedWhen(other, key, (texts) => texts.length === 1)).length, 1);
    const erased = await call(`${other.url}/v1/leads/delete`, 'POST', { email, propertyId: key }, admin);
    assert.equal(erased.status, 200);
    for (const one of [server, other]) assert.deepEqual(await feedWhen(one, key, isEmpty), []);
  } finally {
    await other.stop();
  }
});

test('once built, ten thousand requests cost no query, whether the client has it (304) or not', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 5);
  await running(server, key);
  const first = await fetch(`${server.url}/v1/feed?site=${key}`, { headers: { 'accept-encoding': 'gzip' } });
  const etag = first.headers.get('etag')!;
  await first.arrayBuffer();
  assert.match(etag, /^"[\w-]{22}-gzip"$/);
  assert.equal(first.headers.get('cache-control'), 'public, max-age=15');
  assert.equal(first.headers.get('access-control-allow-origin'), '*');
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const ask = async (headers: Record<string, string>): Promise<number> => {
    const asked = get(`${server.url}/v1/feed?site=${key}`, { agent, headers });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode!;
  };
  const { feeds, db } = server.services;
  const asked: string[] = [];
  const { connect, query } = db;
  db.query = ((...args: never[]) => {
    asked.push(String((args[0] as unknown as { text?: string }).text ?? args[0]));
    return (query as (...all: never[]) => unknown).apply(db, args);
  }) as typeof query;
  // a transaction takes a connection; query() does as well, by a callback
  db.connect = ((...args: never[]) => {
    if (args.length === 0) asked.push('a transaction');
    return (connect as (...all: never[]) => unknown).apply(db, args);
  }) as typeof connect;
  // what goes on by itself meanwhile, however slow the machine is: the feeds of this file each minute, in a transaction each
  let builds = 0;
  const end = feeds.onBuilt(() => {
    builds += 1;
  });
  const statuses: Record<number, number> = {};
  let left = 10_000;
  const inLine = async () => {
    for (; left > 0; ) {
      left -= 1;
      const status = await ask({ 'accept-encoding': 'gzip', ...(left % 2 ? { 'if-none-match': etag } : {}) });
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: 32 }, inLine));
  } finally {
    db.connect = connect;
    db.query = query;
    end();
    agent.destroy();
  }
  assert.equal((statuses[200] ?? 0) + (statuses[304] ?? 0), 10_000, JSON.stringify(statuses));
  const ofItself = asked.filter((sql) => sql === 'a transaction').length;
  assert.ok(ofItself <= builds && builds < 100, `${ofItself} transactions, ${builds} feeds built`);
  assert.deepEqual(
    asked.filter((sql) => sql !== 'a transaction' && !BY_ITSELF.test(sql)),
    [],
  );
  if (builds === 0) assert.deepEqual(statuses, { 200: 5000, 304: 5000 });
});

test('an address may ask for the feed six hundred times a minute; others are served meanwhile', async () => {
  const limited = await startServer({ RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1' }, server.database);
  try {
    const ask = (from: string) =>
      call(`${limited.url}/v1/feed?site=default`, 'GET', undefined, { 'x-real-ip': from });
    const statuses = new Set<number>();
    for (let i = 0; i < 12; i += 1)
      for (const { status } of await Promise.all(Array.from({ length: 50 }, () => ask('203.0.113.7'))))
        statuses.add(status);
    assert.deepEqual([...statuses], [200]);
    const refused = await ask('203.0.113.7');
    assert.deepEqual([refused.status, refused.body.error], [429, 'rate_limited']);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    const from = { ...FRAMED, 'x-real-ip': '203.0.113.7' };
    isEmptyFrame(await call(`${limited.url}/v1/feed.html?site=default`, 'GET', undefined, from), 429);
    assert.equal((await ask('203.0.113.8')).status, 200);
  } finally {
    await limited.stop();
  }
});

test('a language that is not there is answered in the best that is; an unknown site is 404', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 5);
  const texts = {
    ...COUNT.texts,
    'fr-CA': { one: '{count} sur {days}', other: '{count} achats en {days} jours' },
  };
  await running(server, key, { ...COUNT, texts });
  assert.deepEqual(await textsOf(key, '&lang=fr'), ['5 achats en 30 jours']);
  assert.deepEqual(await textsOf(key, '&lang=ja'), ['5 people bought in 30 days']);
  const languages = async (wanted: string) => {
    const { items, words } = await feedOf(server, key, `&lang=${wanted}`);
    return [items[0]!.lang, words.lang];
  };
  assert.deepEqual(await languages('fr'), ['fr-CA', 'fr']);
  assert.deepEqual(await languages('ja'), ['en', 'en'], 'and says which it is');
  assert.equal((await call(`${server.url}/v1/feed?site=nowhere`)).status, 404);
});

test('an act that one wording of a test has no words for is shown in no arm, so that the arms stay alike', async () => {
  const { key } = await newSite(server);
  const occurredAt = ago(hours(1));
  for (const products of [['rye'], ['rye'], ['rye'], [], [], []]) {
    const email = address();
    await call(`${server.url}/v1/leads/capture`, 'POST', { email, propertyId: key, anonId: randomUUID() });
    await orders(server, key, 1, { anonId: undefined, email, occurredAt, products });
  }
  const texts = { en: { other: '{name} bought something {when}' } };
  const id = await running(server, key, { ...COUNT, kind: 'recent_activity', texts });
  const tests = `${server.url}/v1/sites/${key}/ab-tests`;
  const made = await call(
    tests,
    'POST',
    {
      notificationId: id,
      variants: [{ key: 'own' }, { key: 'what', texts: { en: { other: '{name} bought {product} {when}' } } }],
      goal: { of: 'event:order' },
    },
    admin,
  );
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const keysOf = async () =>
    (await feedOf(server, key)).items.map(({ variants }) => variants.map((one) => one.key).join());
  assert.deepEqual(await keysOf(), ['a', 'a', 'a', 'a', 'a', 'a']);
  assert.equal((await call(`${tests}/${made.body.test.testId}/start`, 'POST', undefined, admin)).status, 200);
  await heardAll(server);
  assert.deepEqual(await keysOf(), ['own,what', 'own,what', 'own,what']);
});

test('somebody’s act is told without a name, half an hour later at the latest, in words', async () => {
  const { key, siteId } = await newSite(server);
  for (let i = 0; i < 5; i += 1) {
    const email = address();
    await call(`${server.url}/v1/leads/capture`, 'POST', { email, propertyId: key, anonId: randomUUID() });
    await orders(server, key, 1, { anonId: undefined, email, products: ['rye <b>'] });
  }
  const act = {
    ...COUNT,
    kind: 'recent_activity',
    texts: { en: { other: '{name} bought {product} {when}' } },
  };
  const id = await running(server, key, act);
  assert.deepEqual(await textsOf(key), [], 'too young');
  const later = (minutes: number) =>
    server.database.owner.query(
      'update conversions set occurred_at = occurred_at - make_interval(mins => $2), voided_at = null where site_id = $1',
      [siteId, minutes],
    );
  await later(31);
  await call(
    `${server.url}/v1/sites/${key}/notifications/${id}`,
    'PATCH',
    { name: 'again' },
    { ...admin, 'if-match': '"2"' },
  );
  const texts = await textsOf(key);
  assert.equal(texts.length, 5);
  for (const text of texts) assert.match(text, /^Someone bought rye <b> (today|yesterday)$/);
  const page = await call(`${server.url}/v1/feed.html?site=${key}`);
  assert.doesNotMatch(page.body, /<b>/);
});

test('what is of one person, with a name or without, is asked for again, is framed for half a minute at most, and is in no picture', async () => {
  const { key } = await newSite(server);
  const occurredAt = new Date(Date.now() - 40 * 60_000).toISOString();
  const display = { text: 'May we show your first name?', name: 'Ada' };
  for (const who of [{ display }, {}, {}]) {
    const email = address();
    const sent = { email, propertyId: key, anonId: randomUUID(), ...who };
    assert.equal((await call(`${server.url}/v1/leads/capture`, 'POST', sent)).status, 200);
    await orders(server, key, 1, { anonId: undefined, email, occurredAt });
  }
  const minimum = { of: 'purchases', days: 30, minimum: 3 };
  const count = await running(server, key, { ...COUNT, claim: minimum, channels: ['page'] });
  const frameOf = async (more = '') => {
    const { body, headers } = await call(`${server.url}/v1/feed.html?site=${key}${more}`);
    return { cards: (body as string).split('<li>').length - 1, headers };
  };
  const alone = await frameOf();
  assert.deepEqual(
    [alone.cards, alone.headers.get('refresh'), alone.headers.get('cache-control')],
    [1, null, 'public, max-age=15'],
  );
  const act = { kind: 'recent_activity', name: 'acts', claim: minimum, channels: ['page'] };
  const id = await running(server, key, { ...act, texts: { en: { other: '{name} bought bread {when}' } } });
  const { items } = await feedOf(server, key);
  assert.deepEqual(items.map(({ variants, named }) => [variants[0]!.text.split(' ')[0], named]).sort(), [
    ['3', false],
    ['Ada', true],
    ['Someone', true],
    ['Someone', true],
  ]);
  const { cards, headers } = await frameOf('&lang=en&path=%2Fshop%2Frye%3B%20%26');
  assert.deepEqual([cards, headers.get('cache-control')], [4, 'private, no-cache']);
  const [, seconds, url] = /^(\d+); url=(.+)$/.exec(headers.get('refresh')!)!;
  assert.ok(Number(seconds) <= 25, 'with the two seconds that a feed may be late');
  const again = new URL(url!, server.url);
  assert.deepEqual(
    [again.pathname, Object.fromEntries(again.searchParams)],
    ['/v1/feed.html', { site: key, lang: 'en', path: '/shop/rye; &' }],
  );
  const title = async (n: string) =>
    /<title>(.*)<\/title>/.exec((await call(`${server.url}/v1/badge.svg?site=${key}&n=${n}`)).body)![1];
  assert.deepEqual([await title(id), await title(count)], ['', '3 people bought in 30 days']);
});

test('without JavaScript a card is for whom its targeting says, as far as a request tells; what asks for a visit or an id is for nobody', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 5);
  const targets: Record<string, object> = {
    all: {},
    shop: { include: ['/shop/*'] },
    notCart: { exclude: ['/*/cart', '/a*b*c'] },
    phone: { devices: ['mobile'] },
    french: { languages: ['fr'] },
    known: { consent: 'full' },
    returning: { visitors: 'returning' },
    fresh: { visitors: 'new' },
    campaign: { sources: ['spring'] },
  };
  const ids: Record<string, string> = {};
  for (const [name, targeting] of Object.entries(targets)) {
    const texts = { en: { other: `${name}: {count} people in {days} days` } };
    ids[name] = await running(server, key, { ...COUNT, texts, channels: ['page'], targeting });
  }
  const PHONE =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1';
  const DESKTOP =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
  const cases: [string, Record<string, string>, string[]][] = [
    ['', { 'user-agent': 'reader/1' }, ['all', 'notCart', 'phone', 'shop']],
    ['', { 'user-agent': DESKTOP }, ['all', 'notCart', 'shop']],
    ['', { 'user-agent': PHONE }, ['all', 'notCart', 'phone', 'shop']],
    ['&lang=fr-CA', { 'user-agent': DESKTOP }, ['all', 'french', 'notCart', 'shop']],
    ['&path=/', { 'user-agent': DESKTOP }, ['all', 'notCart']],
    ['&path=/shop/rye', { 'user-agent': DESKTOP }, ['all', 'notCart', 'shop']],
    ['&path=/shop/cart', { 'user-agent': DESKTOP }, ['all', 'shop']],
    ['&path=/axxbxxc', { 'user-agent': DESKTOP }, ['all']],
    ['&path=/axxcxxb', { 'user-agent': DESKTOP }, ['all', 'notCart']],
    ['', { 'user-agent': DESKTOP, referer: 'https://bakery.example/about' }, ['all', 'notCart']],
    // of another origin that alone is said: any of its pages
    ['', { 'user-agent': DESKTOP, referer: 'https://bakery.example/' }, ['all', 'notCart', 'shop']],
    ['', { 'user-agent': DESKTOP, referer: `${server.url}/` }, ['all', 'notCart']],
    ['', { 'user-agent': DESKTOP, referer: 'not an address' }, ['all', 'notCart', 'shop']],
  ];
  for (const [more, headers, expected] of cases) {
    const where = `${more} ${JSON.stringify(headers)}`;
    const page = await call(`${server.url}/v1/feed.html?site=${key}${more}`, 'GET', undefined, headers);
    assert.deepEqual(
      [...page.body.matchAll(/<p lang="en">(\w+):/g)].map(([, name]) => name).sort(),
      expected,
      where,
    );
    assert.match(page.headers.get('vary')!, /Referer, User-Agent/);
    const shown: string[] = [];
    for (const [name, id] of Object.entries(ids)) {
      const badge = await call(
        `${server.url}/v1/badge.svg?site=${key}&n=${id}${more}`,
        'GET',
        undefined,
        headers,
      );
      if (badge.body.includes(`<title>${name}:`)) shown.push(name);
    }
    assert.deepEqual(shown.sort(), expected, where);
  }
});

test('for pages without JavaScript there is a page to frame and a picture, of what is made for them', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 5);
  const text = { en: { other: '{count} <b>people</b> in {days} days' } };
  const id = await running(server, key, { ...COUNT, texts: text, channels: ['page'] });
  const page = await call(`${server.url}/v1/feed.html?site=${key}`);
  assert.match(page.body, /5 &lt;b&gt;people&lt;\/b&gt; in 30 days/);
  assert.doesNotMatch(page.headers.get('content-security-policy')!, /frame-ancestors|unsafe/);
  const badge = await call(`${server.url}/v1/badge.svg?site=${key}&n=${id}`);
  assert.deepEqual([badge.status, badge.headers.get('content-type')], [200, 'image/svg+xml; charset=utf-8']);
  assert.match(badge.body, /<title>5 &lt;b&gt;people/);
});

test('a framed feed that is refused is an empty page, which may stand in any frame and loads itself again; a script is told why', async () => {
  const { key } = await newSite(server);
  const of = (query: string, headers: Record<string, string> = FRAMED) =>
    call(`${server.url}/v1/feed.html${query}`, 'GET', undefined, headers);
  isEmptyFrame(await of('?site=nobodys'), 404);
  isEmptyFrame(await of('?site=nobodys', { accept: '*/*' }), 404);
  isEmptyFrame(await of(''), 400);
  isEmptyFrame(await call(`${server.url}/v1/feed.html?site=${key}`, 'PUT', undefined, FRAMED), 405);
  // loaded anew it comes from itself: on which page it stands is said from here on, where the first time told it
  for (const [referer, query, again] of [
    [
      'https://shop.example/bread/rye?x=1',
      '?site=nobodys&lang=fr',
      '30; url=/v1/feed.html?site=nobodys&lang=fr&path=%2Fbread%2Frye',
    ],
    ['https://shop.example/bread', '?site=nobodys&path=%2Fmenu', '30'],
    ['https://shop.example/', '?site=nobodys', '30'],
    [`${server.url}/v1/feed.html?site=nobodys`, '?site=nobodys', '30'],
  ] as const)
    assert.equal((await of(query, { ...FRAMED, referer })).headers.get('refresh'), again, referer);
  const script = await of('?site=nobodys', { accept: 'application/json' });
  assert.deepEqual(
    [script.status, script.body.error, script.headers.get('refresh')],
    [404, 'not_found', null],
  );
});

test('a picture that is refused is an empty one, since a broken one would stay; a script is told why', async () => {
  const url = `${server.url}/v1/badge.svg?site=nobodys&n=${randomUUID()}`;
  const drawn = await call(url, 'GET', undefined, { accept: 'image/avif,image/webp,image/*,*/*;q=0.8' });
  assert.deepEqual(
    [drawn.status, drawn.headers.get('content-type'), drawn.headers.get('cache-control')],
    [404, 'image/svg+xml; charset=utf-8', 'no-store'],
  );
  assert.match(drawn.body, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.equal((await call(url, 'GET', undefined, { accept: 'application/json' })).body.error, 'not_found');
});

test('an act waits ten to thirty minutes, always the same; numbers of whole days are rounded down', () => {
  for (let i = 0; i < 500; i += 1) {
    const delay = delayMs(`act ${i}`) / 60_000;
    assert.ok(delay >= 10 && delay <= 30);
    assert.equal(delayMs(`act ${i}`) / 60_000, delay);
  }
  assert.deepEqual(said({ value: 1299, isRounded: true }, 'en'), { text: '1,200+', value: 1200 });
  assert.deepEqual(said({ value: 1299, isRounded: false }, 'fr'), { text: '1\u202f299', value: 1299 });
  const [late, early] = [new Date('2026-03-02T04:30:00Z'), new Date('2026-03-01T20:00:00Z')];
  assert.equal(dayInWords(early, late, 'America/Toronto', 'en'), 'today');
  assert.equal(dayInWords(early, late, 'UTC', 'en'), 'yesterday');
  assert.equal(bestLanguage(['de', 'pt-BR'], 'pt', undefined), 'pt-BR');
});

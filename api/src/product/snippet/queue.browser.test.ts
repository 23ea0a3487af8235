// The queue loses nothing and stays small: refusals, broken connections, tabs, batches.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import {
  api,
  bakery,
  context,
  FULL,
  ids,
  keys,
  OURS,
  of,
  page,
  queued,
  settled,
  show,
  tag,
  useSnippet,
  views,
} from '../../../test/snippet-browser.ts';

useSnippet();

test('what is not acknowledged is sent again with the same ids, by the next page too', async () => {
  api.answer = 503;
  await page.goto(`${bakery.url}/bread`);
  await until('a refused try', () => api.seen().length === 1);
  await page.goto(`${bakery.url}/visit`);
  await until('another', () => of('page_view', api.seen()).some((event) => event.path === '/visit'));
  assert.deepEqual(api.stored(), []);
  api.answer = 202;
  await page.goto(`${bakery.url}/`);
  await until('all three', () => views().length >= 3);
  const all = of('page_view', api.seen());
  assert.deepEqual(ids(all), ids(of('page_view')), 'every event that was ever tried is stored');
  assert.equal(ids(all).length, 3, 'and none was minted anew');
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('what happens offline arrives when the browser is online again', async () => {
  await page.goto(`${bakery.url}/menu`);
  await until('a page view', () => views().length === 1);
  await until('its answer has come', async () => (await queued()).length === 0);
  await context.setOffline(true);
  await page.getByRole('link', { name: 'Lunch' }).click();
  await until('it waits in storage', async () => (await queued()).length > 0);
  await page.getByRole('link', { name: 'Coffee' }).click();
  // what was read of the pages may wait beside their views
  const waiting = await page.evaluate(
    (names) => names.filter((name) => localStorage[name].includes('page_view')),
    await queued(),
  );
  assert.equal(views().length, 1);
  await context.setOffline(false);
  await until('the rest', () => views().length === 3);
  assert.deepEqual(views(), ['/menu', '/menu/lunch', '/menu/coffee']);
  assert.deepEqual(
    waiting.map((key) => key.slice(OURS.length)).sort(),
    ids(of('page_view').slice(1)),
    'with the ids they had while waiting',
  );
});

test('an event that the server refuses for its content is not sent again', async () => {
  api.answer = 400;
  await page.goto(`${bakery.url}/bread`);
  await until('a refusal', () => api.seen().length === 1);
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('a rate limit, a broken connection and a full server keep the event', async () => {
  for (const answer of [429, 0, 503]) {
    api.answer = answer;
    const before = api.requests.length;
    await page.goto(`${bakery.url}/bread`);
    await until(`an answer ${answer}`, () => api.requests.length > before);
  }
  await until('all wait', async () => {
    const waiting = await page.evaluate(
      (keys) => keys.map((key) => localStorage[key]).join(),
      await queued(),
    );
    return waiting.match(/page_view/g)?.length === 3;
  });
});

test('two tabs that send and remove at the same time lose nothing', async () => {
  api.answer = 503;
  await page.goto(`${bakery.url}/menu`);
  const other = await context.newPage();
  await other.goto(`${bakery.url}/menu`);
  await until('both tried', () => ids(api.seen()).length === 2);
  api.answer = 202;
  const minted: string[] = [];
  for (const tab of [page, other, page, other]) {
    minted.push(...(await tab.evaluate(() => Array.from({ length: 20 }, () => window.mkt.event('knead')))));
  }
  for (const tab of [page, other]) await tab.evaluate(() => dispatchEvent(new Event('online')));
  await until('all are stored', () => ids(of('knead')).length === 80);
  assert.deepEqual(ids(of('knead')), minted.sort());
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('a queue that nobody takes stays small', async () => {
  api.answer = 503;
  await page.goto(`${bakery.url}/bread`);
  await until('a try', () => api.seen().length > 0);
  await page.evaluate(() => {
    for (let i = 0; i < 500; i++) window.mkt.event(`knead ${i}`);
  });
  const waiting = await queued();
  assert.ok(waiting.length > 50 && waiting.length <= 306, `${waiting.length} wait`);
  const kept = await page.evaluate((keys) => keys.map((key) => localStorage[key]).join(), waiting);
  assert.match(kept, /knead 499/, 'the newest stays');
  assert.doesNotMatch(kept, /knead 1"/, 'the oldest goes');
});

test('batches stay within what the server takes', async () => {
  await page.goto(`${bakery.url}/bread`);
  await until('a page view', () => views().length === 1);
  await page.evaluate(() => {
    const mkt = window.mkt;
    for (let i = 0; i < 90; i++) mkt.event('small');
    for (let i = 0; i < 9; i++) mkt.event('large', { props: { text: 'é'.repeat(4000) } });
    mkt.event('too large', { props: { text: 'x'.repeat(70_000) } });
  });
  await until('the small ones', () => of('small').length === 90);
  await until('the large ones', () => of('large').length === 9);
  for (const { events, body } of api.requests) {
    assert.ok(events.length <= 50);
    assert.ok(Buffer.byteLength(body) <= 64 * 1024);
  }
});

test('every batch says when it was sent', async () => {
  await show(tag());
  await settled();
  for (const { sentAt, events } of api.requests.filter((one) => one.url === '/v1/events'))
    for (const event of events) assert.ok(sentAt! >= event.timestamp && sentAt! <= Date.now());
});

test('an eventId from the page is the one that is sent and returned, and leaves nothing behind', async () => {
  await show(tag(FULL));
  await settled();
  const eventId = '018f2c6e-4b1a-7c3d-8e5f-0a1b2c3d4e5f';
  const told = await page.evaluate((id) => window.mkt.event('purchase', { eventId: id }), eventId);
  assert.equal(told, eventId);
  await settled();
  assert.deepEqual(
    of('purchase').map((event) => event.eventId),
    [eventId],
  );
  await until('nothing waits', async () => (await keys()).join() === '_mkt7default:id');
});

for (const [status, kept] of [
  [400, 0],
  [401, 0],
  [403, 0],
  [404, 0],
  [410, 0],
  [413, 0],
  [415, 0],
  [422, 0],
  [451, 0],
  [408, 1],
  [425, 1],
  [429, 1],
  [500, 1],
  [502, 1],
  [503, 1],
] as const)
  test(`an answer ${status} is ${kept ? 'a reason to try again' : 'final'}`, async () => {
    api.answer = status;
    await show(tag(FULL));
    await until('an answer', () => api.requests.some((one) => one.url === '/v1/events'));
    if (!kept) await until('nothing waits', async () => (await queued()).length === 0);
    else {
      await page.reload();
      await until(
        'it is tried again',
        () => api.requests.filter((one) => one.body.includes('page_view')).length > 1,
      );
      const kept = await page.evaluate(() => Object.values(localStorage).join());
      assert.equal(kept.match(/"page_view"/g)?.length, 2);
    }
  });

test('what waits from before never stands in front of what happens now', async () => {
  await show('');
  await page.evaluate(() => {
    for (let at = 100; at < 220; at++) {
      const eventId = `00000000-0000-7000-8000-000000000${at}`;
      const event = { eventId, eventType: 'old', path: '/', timestamp: Date.now() };
      localStorage.setItem(`_mkt7default:${eventId}`, JSON.stringify(event));
    }
  });
  await show(tag(FULL));
  await until('all came', () => of('old').length === 120);
  const batches = api.requests.filter((one) => one.url === '/v1/events').map((one) => one.events);
  assert.equal(batches[0]!.at(-1)!.eventType, 'page_view');
});

test('text in our own keys that we did not write poisons no batch', async () => {
  await show('');
  await page.evaluate(() => {
    const junk = [
      'seen',
      '{',
      'null',
      '5',
      '"x"',
      '[]',
      '{}',
      '{"a":1}',
      '',
      'x'.repeat(20_000),
      `{"eventId":"${'y'.repeat(20_000)}"}`,
    ];
    junk.map((text, at) => localStorage.setItem(`_mkt7default:0${at}`, text));
  });
  await show(tag(FULL));
  await until('the view', () => views().length === 1);
  assert.equal(api.requests.filter((one) => one.url === '/v1/events')[0]!.events.length, 1);
});

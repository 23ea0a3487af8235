// What the consent control is given to show: in whose name, in which language, and for which pages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

const PAGE = 'https://bakery.example';
let server: TestServer;
before(async () => {
  server = await startServer({ PUBLIC_URL: 'https://api.example.com' });
  await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'Crumb & Co.', origins: [PAGE] },
    admin,
  );
});
after(() => server.end());

const show = (query = '', headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/choices/control?propertyId=bakery${query}`, 'GET', undefined, {
    origin: PAGE,
    ...headers,
  });
const set = (settings: object) => call(`${server.url}/v1/sites/bakery`, 'PATCH', { settings }, admin);

test('it speaks as the page does, else as the site, else as the browser', async () => {
  const spoken = async (query: string, headers = {}) => (await show(query, headers)).body.lang;
  assert.equal(await spoken('&lang=fr-CA'), 'fr');
  assert.equal(await spoken('&lang=en'), 'en');
  assert.equal(await spoken('&lang=de', { 'accept-language': 'fr' }), 'fr');
  await set({ language: 'fr' });
  assert.equal(await spoken('&lang='), 'fr');
  assert.equal(await spoken('&lang=en'), 'en');
  await set({ language: null });
  const [english, french] = [(await show('&lang=en')).body, (await show('&lang=fr')).body];
  for (const shown of [english, french]) {
    assert.deepEqual(Object.keys(shown.answers), ['off', 'measure', 'full']);
    assert.deepEqual(shown.question.match(/\d+/g), ['13', '6'], 'the ends');
  }
  assert.notEqual(english.question, french.question);
});

test('it says who asks and leads to their policy, else to our notice about them', async () => {
  const before = (await show()).body;
  assert.match(before.question, /^Crumb & Co\.: we count/);
  assert.equal(before.privacy.href, 'https://api.example.com/v1/privacy?lang=en&propertyId=bakery');
  await set({ senderName: 'The Crumb', policyUrl: 'https://bakery.example/privacy' });
  const after = (await show()).body;
  assert.match(after.question, /^The Crumb: we count/);
  assert.equal(after.privacy.href, 'https://bakery.example/privacy');
});

test('a signal of the browser has answered already, and no cache says otherwise', async () => {
  for (const signal of [{ 'sec-gpc': '1' }, { dnt: '1' }]) {
    const { body, headers } = await show('', signal as unknown as Record<string, string>);
    assert.deepEqual(Object.keys(body.answers), ['off', 'measure']);
    assert.match(body.question, /asks not to be recognised/);
    assert.match(headers.get('vary')!, /DNT.*Sec-GPC/);
    assert.match(headers.get('vary')!, /Origin/);
  }
});

test("it is shown on the site's own pages only", async () => {
  const { status, body } = await show('', { origin: 'https://copy.example' });
  assert.deepEqual([status, body.error], [403, 'origin_not_allowed']);
  assert.equal((await show()).headers.get('access-control-allow-origin'), PAGE);
});

test('a tag that names no site is about the site of its page', async () => {
  const url = `${server.url}/v1/choices/control?propertyId=&lang=en`;
  const { body } = await call(url, 'GET', undefined, { origin: PAGE });
  assert.match(body.question, /^The Crumb/);
});

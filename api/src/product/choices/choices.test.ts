// What visitors answered to the consent control is proven: once, under the words they read, until its end.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { NEW_WORDS_A_DAY_MAX } from './queries.ts';

const PAGE = 'https://bakery.example';
const WORDS = 'May we know you again? No. Only count me. Yes.';
let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  const made = await call(`${server.url}/v1/sites`, 'POST', { key: 'bakery', origins: [PAGE] }, admin);
  siteId = made.body.site.siteId;
});
after(() => server.end());

const choose = (fields: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  call(
    `${server.url}/v1/choices`,
    'POST',
    JSON.stringify({
      choiceId: randomUUID(),
      mode: 'measure',
      words: WORDS,
      language: 'en',
      propertyId: 'bakery',
      ...fields,
    }),
    { 'content-type': 'text/plain', origin: PAGE, ...headers },
  );
const listed = async (query = '') =>
  (await call(`${server.url}/v1/sites/bakery/choices${query}`, 'GET', undefined, admin)).body.choices;
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;

test('an agreement and its withdrawal are kept under the visitor, with the words, the time and the end', async () => {
  const anonId = 'a-browser-of-its-own';
  const visitorId = visitorIdOf(siteId, anonId);
  const chosenAt = new Date(Date.now() - 60_000);
  const { status, body } = await choose({ mode: 'full', anonId, chosenAt: chosenAt.getTime() });
  assert.equal(status, 200, JSON.stringify(body));
  await choose({ mode: 'off', anonId }, { 'sec-gpc': '1' });
  const [left, agreed] = await listed(`?visitorId=${visitorId}`);
  assert.deepEqual(
    [agreed.mode, agreed.words, agreed.language, agreed.privacySignal, agreed.chosenAt, agreed.endsAt],
    ['full', WORDS, 'en', false, chosenAt.toISOString(), body.endsAt],
  );
  assert.equal(agreed.wordsSha256, createHash('sha256').update(WORDS).digest('hex'));
  assert.deepEqual([left.mode, left.privacySignal, left.visitorId], ['off', true, visitorId]);
  const [{ months }] = await rows(
    "select count(*)::int as months from browser_choices where visitor_id = $1 and ends_at = chosen_at + interval '6 months'",
    [visitorId],
  );
  assert.equal(months, 2);
});

test('a choice that is told again is one, and keeps its end', async () => {
  const choiceId = randomUUID();
  const first = await choose({ choiceId });
  const again = await choose({ choiceId, mode: 'full' });
  assert.equal(again.body.endsAt, first.body.endsAt);
  assert.equal((await listed('?limit=1'))[0].mode, 'measure');
  assert.equal((await rows('select from browser_choices')).length, 3);
});

test('of who refuses nothing is kept by which they could be told from others', async () => {
  await choose({ mode: 'off' });
  const [row] = await rows('select * from browser_choices order by recorded_at desc limit 1');
  assert.equal(row.visitor_id, null);
  assert.deepEqual(Object.keys(row).sort(), [
    'choice_id',
    'chosen_at',
    'ends_at',
    'language',
    'mode',
    'privacy_signal',
    'recorded_at',
    'site_id',
    'visitor_id',
    'words_hash',
  ]);
});

test('no clock of a browser dates a choice into the future, or makes it end before it was told', async () => {
  const day = 86_400_000;
  for (const chosenAt of [Date.now() + 400 * day, 0, '1999-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) {
    const { status, body } = await choose({ chosenAt });
    assert.equal(status, 200);
    const ends = Date.parse(body.endsAt) - Date.now();
    assert.ok(ends > -60_000 && ends < 185 * day, `${chosenAt}: ${body.endsAt}`);
  }
});

test('what is no choice is refused and says why', async () => {
  for (const [fields, path] of [
    [{ mode: 'everything' }, 'mode'],
    [{ mode: null }, 'mode'],
    [{ words: ' \n ' }, 'words'],
    [{ words: 'x'.repeat(2001) }, 'words'],
    [{ language: 'a sentence' }, 'language'],
    [{ choiceId: 'short' }, 'choiceId'],
    [{ anonId: 'short' }, 'anonId'],
    [{ chosenAt: 'yesterday' }, 'chosenAt'],
    [{ chosenAt: true }, 'chosenAt'],
    [{ propertyId: 'nobody' }, 'propertyId'],
  ] as const) {
    const { status, body } = await choose(fields);
    assert.equal(status, 400, JSON.stringify(fields));
    assert.equal(body.issues[0].path, path, JSON.stringify(body));
  }
  const { status } = await choose({ words: 'x'.repeat(20_000) });
  assert.equal(status, 413);
});

test("a page that is not the site's writes no choice for it, and may read that this is final", async () => {
  const before = (await rows('select from browser_choices')).length;
  const { status, body, headers } = await choose({}, { origin: 'https://copy.example' });
  assert.deepEqual([status, body.error], [403, 'origin_not_allowed']);
  assert.equal(headers.get('access-control-allow-origin'), 'https://copy.example');
  assert.equal((await rows('select from browser_choices')).length, before);
});

test('the app can change and delete no choice', async () => {
  const { app } = server.database;
  for (const sql of [
    "update browser_choices set mode = 'full'",
    "update browser_choices set chosen_at = now() - interval '1 year'",
    'delete from browser_choices',
    'truncate browser_choices',
  ])
    await assert.rejects(app.query(sql), /permission denied/, sql);
  await assert.rejects(app.query('select purge_browser_choices($1, now())', [siteId]), /too young/);
});

test('who is erased leaves proof that is nobody’s', async () => {
  const anonId = `browser-${randomUUID()}`;
  const email = 'ada@example.com';
  await choose({ mode: 'full', anonId });
  const headers = { origin: PAGE };
  await call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId, propertyId: 'bakery' }), headers);
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId, propertyId: 'bakery' }, headers);
  const held = async () =>
    (await call(`${server.url}/v1/leads/export-subject`, 'POST', { email, propertyId: 'bakery' }, admin))
      .body;
  const { browserChoices } = (await held()).subject;
  assert.deepEqual(
    browserChoices.map(({ mode, language }: Record<string, string>) => [mode, language]),
    [['full', 'en']],
  );
  const visitorId = visitorIdOf(siteId, anonId);
  const { body } = await call(
    `${server.url}/v1/leads/delete`,
    'POST',
    { email, propertyId: 'bakery' },
    admin,
  );
  assert.equal(body.erased.browser_choices, 1, JSON.stringify(body));
  assert.deepEqual(await listed(`?visitorId=${visitorId}`), []);
  assert.ok((await listed())[0].visitorId, 'the answer itself stays');
});

test('who left no address gets their choices by the id of their browser', async () => {
  const anonId = `browser-${randomUUID()}`;
  await choose({ mode: 'full', anonId });
  const { body } = await call(
    `${server.url}/v1/leads/export-subject`,
    'POST',
    { anonId, propertyId: 'bakery' },
    admin,
  );
  assert.equal(body.subject.browserChoices.length, 1, JSON.stringify(body));
});

test('a flood of wordings is known by hashes alone, and takes no words away from a control', async () => {
  for (let i = 0; i < NEW_WORDS_A_DAY_MAX + 3; i += 1) await choose({ words: `Made up, number ${i}` });
  const [{ n }] = await rows('select count(*)::int as n from browser_choice_words where site_id = $1', [
    siteId,
  ]);
  assert.equal(n, NEW_WORDS_A_DAY_MAX);
  const [flood] = await listed('?limit=1');
  assert.deepEqual([flood.words, flood.wordsSha256.length], [null, 64]);
  await choose();
  assert.equal((await listed('?limit=1'))[0].words, WORDS);
});

test('a choice is forgotten three years after its end, and then its words', async () => {
  await rows(
    "update browser_choices set chosen_at = chosen_at - interval '4 years', ends_at = ends_at - interval '4 years' where mode = 'full'",
  );
  const { full, others } = (
    await rows(
      "select count(*) filter (where mode = 'full')::int as full, count(*) filter (where mode <> 'full')::int as others from browser_choices",
    )
  )[0];
  assert.ok(full >= 3);
  await rows("update browser_choice_words set last_shown_at = now() - interval '31 days'");
  await rows(
    "insert into browser_choice_words (site_id, words_hash, words, last_shown_at) values ($1, 'old', 'Old words', now() - interval '31 days')",
    [siteId],
  );
  const purge = async (options: object) =>
    (await call(`${server.url}/v1/admin/jobs/purge`, 'POST', options, admin)).body.run.result.rows;
  assert.equal((await purge({ dryRun: true })).browserChoices, full);
  const gone = await purge({});
  assert.deepEqual([gone.browserChoices, gone.browser_choice_words], [full, 1]);
  assert.equal((await rows('select from browser_choices')).length, others);
  assert.ok((await rows('select from browser_choice_words')).length > 1);
});

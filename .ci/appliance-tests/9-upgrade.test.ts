// Upgrades and restores as those meet them who visit meanwhile, and those whose line breaks: the door stays open, nothing is half.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Poll } from './poll.ts';
import { eventually, figure, Stack } from './stack.ts';

const stack = new Stack('upgrade');
before(async () => {
  await stack.prepare('RATE_LIMITS=off\nJOBS=off\n');
  await stack.up();
});
const ends: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const end of ends) await end();
  await stack.down();
});

const own = (path: string) => readFileSync(join(stack.root, path), 'utf8');
const idOf = async (service: string) => (await stack.inspect(service)).Id;
const maxAge = async () => (await stack.call('GET', '/s.js')).headers.get('cache-control');
const state = () => {
  try {
    return own('.change/state');
  } catch {
    return '';
  }
};

const ORIGIN = 'https://www.example.com';
const SLOW = {
  '/app/migrations/9101_slow.sql': 'select pg_sleep(5); create table of_the_good_release (id int);',
};

/** What a person, a page's script and its browser's question get while nobody is let in. */
async function everyoneIsAnswered(): Promise<void> {
  const person = await stack.call('POST', '/v1/leads/capture', 'email=a', {
    accept: 'text/html',
    'content-type': 'application/x-www-form-urlencoded',
  });
  assert.equal(person.status, 503);
  assert.match(String(person.body), /<h1>/);
  const script = await stack.call(
    'POST',
    '/v1/events',
    { eventType: 'page_view', path: '/' },
    { origin: ORIGIN },
  );
  assert.equal(script.status, 503);
  assert.equal(script.body.error, 'unavailable');
  assert.equal(script.headers.get('retry-after'), '5');
  assert.equal(script.headers.get('access-control-allow-origin'), ORIGIN);
  assert.match(script.headers.get('access-control-expose-headers')!, /Retry-After/i);
  assert.match(script.headers.get('vary')!, /Origin/);
  // only after an "ok" to this does a browser send the request, whose answer its script then reads
  const question = await stack.call('OPTIONS', '/v1/events', undefined, {
    origin: ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  });
  assert.equal(question.status, 204);
  assert.equal(question.headers.get('access-control-allow-origin'), ORIGIN);
  assert.match(question.headers.get('access-control-allow-headers')!, /content-type/);
}

test('through a good, a bad and a never-healthy upgrade no connection is refused, people get a page, scripts an answer they can read', async () => {
  const good = await stack.release('good', {
    ...SLOW,
    '/app/appliance/caddy/Caddyfile': own('caddy/Caddyfile').replaceAll('max-age=600', 'max-age=611'),
    '/app/appliance/postgres/postgresql.conf': `${own('postgres/postgresql.conf')}\nseq_page_cost = 1.25 # for this test\n`,
  });
  const bad = await stack.release('bad', {
    ...SLOW,
    '/app/migrations/9102_bad.sql': 'select pg_sleep(3); select nothing_of_that_name from events;',
  });
  const sick = await stack.release('sick', { ...SLOW, '/usr/local/bin/healthcheck': '#!/bin/sh\nexit 1\n' });
  stack.environment.UPGRADE_TIMEOUT = '60';
  const caddy = await idOf('caddy');
  const poll = new Poll(stack);
  const load = stack.load(2);
  ends.push(
    () => load.stop(),
    () => poll.stop(),
  );

  const upgrading = stack.attempt('upgrade', good);
  await eventually('the new release starts', 120, async () => /^step=starting$/m.test(state()));
  await everyoneIsAnswered();
  const arrived = await upgrading;
  assert.equal(arrived.code, 0, arrived.said);
  assert.equal(await stack.sql("select to_regclass('of_the_good_release') is not null"), 't');
  // what it brought for Caddy and PostgreSQL counts, without either's name or image having changed
  assert.match((await maxAge())!, /max-age=611/);
  assert.equal(await stack.sql('show seq_page_cost'), '1.25');

  const failed = await stack.attempt('upgrade', bad);
  assert.equal(failed.code, 1, failed.said);
  assert.match(failed.said, /column "nothing_of_that_name" does not exist/);
  assert.match(failed.said, /serves again, with the data from before/);

  stack.environment.UPGRADE_TIMEOUT = '25';
  const never = await stack.attempt('upgrade', sick);
  assert.equal(never.code, 1, never.said);
  assert.match(never.said, /api is running \((starting|unhealthy)\)/);
  assert.match(never.said, /serves again, with the data from before/);
  stack.environment.UPGRADE_TIMEOUT = '60';

  const acknowledged = await load.stop();
  await poll.stop();
  figure('asked through three upgrades', {
    answers: poll.statuses.length,
    of503: poll.statuses.filter((status) => status === 503).length,
  });
  assert.deepEqual(poll.faults, []);
  assert.deepEqual([...new Set(poll.statuses)].sort(), [200, 503]);
  assert.equal(await idOf('caddy'), caddy);
  const stored = new Set((await stack.sql('select event_id from events')).split('\n'));
  assert.deepEqual(
    acknowledged.filter((id) => !stored.has(id)),
    [],
  );
  assert.ok(acknowledged.length > 100);
  assert.equal(await stack.sql("select count(*) from pg_database where datname like 'marketing\\_%'"), '0');
});

test('an image of the same name with other files is another release: what it brought is served', async () => {
  const again = await stack.release('good', {
    ...SLOW,
    '/app/appliance/caddy/Caddyfile': own('caddy/Caddyfile').replaceAll('max-age=611', 'max-age=622'),
  });
  const done = await stack.attempt('upgrade', again);
  assert.equal(done.code, 0, done.said);
  assert.match((await maxAge())!, /max-age=622/);
  assert.equal(await stack.sql('show seq_page_cost'), '1');
});

test('files that Compose or Caddy would not take are refused in their own words before anything stops', async () => {
  const started = (await stack.inspect('api')).State.StartedAt;
  const files = ['compose.yaml', 'caddy/Caddyfile'].map(own);
  const broken: [string, Record<string, string>, RegExp][] = [
    ['unread', { ...SLOW, '/app/appliance/compose.yaml': `${files[0]}\n  : no yaml [` }, /yaml: /],
    [
      'unknown',
      {
        ...SLOW,
        '/app/appliance/compose.yaml': files[0]!.replace('networks: [edge]', 'networks: [nowhere]'),
      },
      /undefined network nowhere/,
    ],
    [
      'caddy',
      { ...SLOW, '/app/appliance/caddy/Caddyfile': files[1]!.replace('encode {', 'encoed {') },
      /unrecognized directive: encoed/,
    ],
  ];
  for (const [name, changed, words] of broken) {
    const refused = await stack.attempt('upgrade', await stack.release(`bad-${name}`, changed));
    assert.equal(refused.code, 1, refused.said);
    assert.match(refused.said, words);
    assert.match(refused.said, /nothing was changed/);
  }
  assert.equal((await stack.inspect('api')).State.StartedAt, started);
  assert.deepEqual(['compose.yaml', 'caddy/Caddyfile'].map(own), files);
  assert.equal(state(), '');
});

test('settings that PostgreSQL does not take are told in its words, and the files from before are back before the data', async () => {
  const wrong = await stack.release('wrong-postgres', {
    ...SLOW,
    '/app/appliance/postgres/postgresql.conf': `${own('postgres/postgresql.conf')}\nno_such_setting = on\n`,
    '/app/appliance/postgres/added': 'by this release',
  });
  const failed = await stack.attempt('upgrade', wrong);
  assert.equal(failed.code, 1, failed.said);
  assert.match(failed.said, /unrecognized configuration parameter "no_such_setting"/);
  assert.match(failed.said, /serves again, with the data from before/);
  assert.throws(() => own('postgres/added'));
  assert.equal((await stack.send()).status, 202);
});

// Every change an administrator makes, and every look at people, leaves a line, whoever adds the route.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { examplesOf } from '../../../test/examples.ts';
import { send } from '../../../test/send.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePlace, WORLD_SETTINGS } from '../../../test/world.ts';
import { CAPABILITIES } from '../../ground/http/caller.ts';
import { isLook } from '../../ground/http/looked.ts';
import { jsonAnswerOf, pathOf, type Route } from '../../ground/http/route.ts';
import { STRANGERS_PER_MINUTE, strangerLog } from './strangers.ts';

let server: TestServer;
before(async () => {
  server = await startServer(WORLD_SETTINGS);
});
after(() => server.end());

// Doors of visitors; everything else that changes something asks for the admin key.
const PUBLIC = [
  'POST /v1/auth/email/confirm',
  'POST /v1/auth/login',
  'POST /v1/auth/oidc',
  'POST /v1/auth/passkey',
  'POST /v1/auth/passkey/options',
  'POST /v1/auth/refresh',
  'POST /v1/auth/reset',
  'POST /v1/auth/reset/confirm',
  'POST /v1/auth/signup',
  'POST /v1/auth/signup/options',
  'POST /v1/choices',
  'POST /v1/confirm/:token',
  'POST /v1/events',
  'POST /v1/in/:integrationId',
  'POST /v1/leads/capture',
  'POST /v1/leads/display',
  'POST /v1/leads/unsubscribe',
  'POST /v1/report-mails/:token',
  'POST /v1/report-mails/:token/leave',
  'POST /v1/reviews',
  'POST /v1/shares/unlock',
  'POST /v1/staff/:token',
  'POST /v1/unsubscribe/:token',
  'POST /v1/your-data',
  ...['address', 'confirm', 'delete', 'display', 'download', 'name', 'object', 'withdraw'].map(
    (act) => `POST /v1/your-data/:token/${act}`, // by the link in their mail; noted, once it tells whose it is
  ),
];
const lines = async (action: string) =>
  (
    await server.database.owner.query(
      'select outcome, site_id, target, details from audit_log where action = $1 order by audit_id',
      [action],
    )
  ).rows;

test('every route that changes something is a visitor’s, or asks for the key and is noted with its outcome', async () => {
  const open: string[] = [];
  let guarded = 0;
  for (const layer of server.routers.flatMap((router) => router.stack))
    for (const method of layer.methods.filter((name) => !['GET', 'HEAD', 'OPTIONS'].includes(name))) {
      const action = `${method} ${layer.path}`;
      if (action === 'POST /v1/graphql') continue; // each of its parts is noted, as the route it is
      const url = server.url + String(layer.path).replace(/:(\w+)/g, () => randomUUID());
      const { status } = await call(url, method, {});
      if (status !== 401) {
        open.push(action);
        continue;
      }
      assert.deepEqual(await lines(action), [], `${action} without the key did nothing`);
      const answer = await call(url, method, {}, admin);
      assert.notEqual(answer.status, 401);
      assert.deepEqual(
        (await lines(action)).map(({ outcome }) => outcome),
        [answer.status],
        action,
      );
      guarded += 1;
    }
  assert.deepEqual(open.sort(), PUBLIC);
  assert.ok(guarded >= 17, `${guarded} routes for administrators`);
});

test('every look of an administrator is noted with its outcome, unless its route shows no people', async () => {
  const looks = server.routes.filter(({ at, who }) => at.startsWith('GET ') && who in CAPABILITIES);
  assert.ok(looks.some(({ shows }) => shows) && looks.some(({ shows }) => !shows));
  for (const { at, shows } of looks) {
    const url = server.url + pathOf({ at }).replace(/:(\w+)/g, () => randomUUID());
    await call(url);
    assert.deepEqual(await lines(at), [], `${at} without the key showed nothing`);
    const { status } = await call(url, 'GET', undefined, admin);
    const noted = await lines(at);
    const sites = new Set(noted.map(({ site_id: siteId }) => siteId));
    assert.equal(noted.length, sites.size, `${at}: a line a site`);
    assert.deepEqual(
      [...new Set(noted.map(({ outcome }) => outcome))],
      shows === 'no people' ? [] : [status],
      at,
    );
  }
});

test('a line says which site, what of it, and never an address', async () => {
  const made = await call(`${server.url}/v1/sites`, 'POST', { key: 'bakery' }, admin);
  const { siteId } = made.body.site;
  const url = `${server.url}/v1/sites/${siteId}`;
  await call(url, 'PATCH', { name: 'B', settings: { senderContact: 'ada@example.com' } }, admin);
  const text = await call(`${url}/consent-texts`, 'POST', { name: 'news', words: 'Write to me.' }, admin);
  const email = `ada-${randomUUID()}@example.com`;
  await call(
    `${server.url}/v1/conversions`,
    'POST',
    { propertyId: 'bakery', id: email, kind: 'signup', email },
    admin,
  );
  const last = async (action: string) => (await lines(action)).at(-1);
  assert.deepEqual(await last('POST /v1/sites'), {
    outcome: 201,
    site_id: siteId,
    target: siteId,
    details: null,
  });
  assert.deepEqual(await last('PATCH /v1/sites/:siteId'), {
    outcome: 200,
    site_id: siteId,
    target: siteId,
    details: { changes: ['name', 'settings', 'settings.senderContact'] },
  });
  assert.equal((await last('POST /v1/sites/:siteId/consent-texts')).target, text.body.text.textId);
  assert.deepEqual(await last('POST /v1/conversions'), {
    outcome: 200,
    site_id: siteId,
    target: null,
    details: { conversions: 1 },
  });
  const { rows } = await server.database.owner.query('select t::text as line from audit_log t');
  assert.ok(!rows.some(({ line }) => line.includes('@')));
});

test('a look at people says by which filter, how many, and whose they were', async () => {
  const emails = [1, 2, 3].map((n) => `look-${n}-${randomUUID()}@example.com`);
  for (const email of emails)
    await call(`${server.url}/v1/leads/capture`, 'POST', { email, sourceChannel: 'looked' });
  const last = async (action: string) => (await lines(action)).at(-1).details;
  await call(`${server.url}/v1/leads?consent=pending&limit=2`, 'GET', undefined, admin);
  const list = await last('GET /v1/leads');
  assert.deepEqual([list.filter, list.leads, list.leadIds.length], [{ consent: 'pending' }, 2, 2]);
  await call(`${server.url}/v1/leads/search`, 'POST', { q: emails[0] }, admin);
  const search = await last('POST /v1/leads/search');
  assert.deepEqual([search.filter, search.leads], [{ q: `${emails[0]!.length} letters` }, 1]);
  await fetch(`${server.url}/v1/leads/export.csv?source=direct`, { headers: admin });
  const exported = await last('GET /v1/leads/export.csv');
  assert.deepEqual(exported.filter, { source: 'direct' });
  assert.ok(exported.leads >= 3);
});

/** Names of the lists that an answer shows. */
function listsOf({ answers }: Route): string[] {
  const shape = jsonAnswerOf(answers)?.shape;
  if (!(shape instanceof z.ZodObject)) return [];
  return Object.entries(shape.shape).flatMap(([name, field]) => (field instanceof z.ZodArray ? [name] : []));
}

/** Sent while they are read, so nobody has counted them: about one person, whose id the line names. */
const STREAMED = ['getConsentEvidence'];

test('every look at a list says by which filter and how many, and nothing that anybody wrote', async () => {
  const place = await makePlace(server, 'oven-house');
  const examples = examplesOf(place);
  const guarded = [...Object.keys(CAPABILITIES), 'person'];
  const looks = server.routes.filter((route) => isLook(route) && guarded.includes(route.who) && !route.shows);
  const walked = new Set<string>();
  for (const route of looks.filter((one) => listsOf(one).length > 0 && !STREAMED.includes(one.id)))
    for (const example of examples[route.id]!) {
      const earlier = (await lines(route.at)).length;
      const { status, text } = await send(server, route, example, admin);
      assert.equal(status, 200, `${route.id}: ${text.slice(0, 300)}`);
      const mine = (await lines(route.at)).slice(earlier);
      const [{ details }] = mine;
      if (example.query?.format === 'csv') {
        assert.equal(details.rows, text.trimEnd().split('\n').length - 1, route.id);
        continue;
      }
      const shown = JSON.parse(text);
      for (const name of listsOf(route)) {
        const counts = mine.map((line) => line.details[name]);
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          shown[name].length,
          `${route.id}.${name}`,
        );
      }
      const { propertyId: _, limit: __, cursor: ___, ...asked } = { ...example.query, ...example.body };
      assert.equal(details.filter !== undefined, route.takes !== undefined, `${route.id} takes a filter`);
      for (const name of Object.keys(asked))
        assert.ok(name in details.filter, `${route.id} says that ${name} was asked for`);
      assert.doesNotMatch(JSON.stringify(details), /@|oven-house/, `${route.id} says nobody’s words`);
      walked.add(route.id);
    }
  assert.ok(walked.size >= 25, `${walked.size} lists`);
  for (const id of STREAMED) {
    const route = looks.find((one) => one.id === id)!;
    const [example] = examples[id]!;
    await send(server, route, example!, admin);
    assert.equal((await lines(route.at)).at(-1).target, example!.path!.leadId, id);
  }
});

test('a look at a list says the words that are ours, and of those of people how long they are', async () => {
  const last = async (action: string) => (await lines(action)).at(-1).details;
  const { body } = await call(
    `${server.url}/v1/admin/requests?state=answered&limit=7`,
    'GET',
    undefined,
    admin,
  );
  assert.deepEqual(await last('GET /v1/admin/requests'), {
    filter: { state: 'answered' },
    requests: body.requests.length,
  });
  const address = `asked-${randomUUID()}@example.com`;
  await call(`${server.url}/v1/admin/requests/search`, 'POST', { email: address }, admin);
  assert.deepEqual(await last('POST /v1/admin/requests/search'), {
    filter: { email: 'given', state: 'all' },
    requests: 0,
  });
  await call(`${server.url}/v1/audit?actor=${encodeURIComponent(address)}`, 'GET', undefined, admin);
  assert.deepEqual(await last('GET /v1/audit'), {
    filter: { actor: `${address.length} letters` },
    entries: 0,
  });
});

test('who comes with a wrong key leaves a line a minute without the key, and the status counts them', async () => {
  const route = 'GET /v1/sites';
  const wrong = { 'x-admin-key': 'not-the-key-of-anybody-at-all' };
  const refused = await call(`${server.url}/v1/sites`, 'GET', undefined, wrong);
  assert.deepEqual([refused.status, refused.body.error], [401, 'unauthorized']);
  const bearer = { authorization: 'Bearer mk_nobody_ever_made_this_one' };
  for (let n = 0; n < 3; n += 1) await call(`${server.url}/v1/leads`, 'GET', undefined, bearer);
  const noted = async () =>
    (
      await server.database.owner.query(
        "select action, outcome, details, t::text as line from audit_log t where actor = 'nobody' order by audit_id",
      )
    ).rows;
  const [line, ...others] = await noted();
  assert.deepEqual([line.action, line.outcome, others], [route, 401, []]);
  assert.match(line.details.from, /^[\w-]{12,}$/);
  assert.doesNotMatch(line.line, /not-the-key|127\.0\.0\.1|mk_/);
  const { body } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  assert.deepEqual(body.wrongKeys, { day: 1 });
  assert.match(
    body.lines.find(({ name }: { name: string }) => name === 'wrongKeys').text,
    /^1 calls with a wrong key/,
  );
});

test('strangers cannot fill the log: each has a line a minute, all together five, and the next says how many more came', async () => {
  let now = 0;
  const written: unknown[] = [];
  const log = strangerLog(
    async (one) => {
      written.push(one.about?.details);
    },
    () => now,
  );
  const from = (limitKey: string) => {
    const one = {
      client: { limitKey },
      about: {},
      note(about: object) {
        one.about = about;
      },
    };
    return log(one as never, 401);
  };
  for (let n = 0; n < 100; n += 1) await from('one');
  assert.deepEqual(written, [{ from: 'one' }]);
  for (let n = 0; n < 100; n += 1) await from(`client-${n}`);
  assert.equal(written.length, STRANGERS_PER_MINUTE);
  assert.deepEqual(written[1], { from: 'client-0', more: 99 });
  now = 60_001;
  await from('one');
  assert.deepEqual(written.at(-1), { from: 'one', more: 96 });
});

test('the log is asked by site, by who, by what and by when', async () => {
  const { body: made } = await call(`${server.url}/v1/sites`, 'POST', { key: 'mill' }, admin);
  const { siteId } = made.site;
  // the moment of a line is rounded to a millisecond
  await pause(5);
  const between = new Date().toISOString();
  await pause(5);
  await call(`${server.url}/v1/sites/${siteId}`, 'PATCH', { name: 'The mill' }, admin);
  await call(`${server.url}/v1/sites`, 'POST', { key: 'oven' }, admin);
  const asked = async (query: Record<string, string>) => {
    const { status, body } = await call(
      `${server.url}/v1/audit?${new URLSearchParams(query)}`,
      'GET',
      undefined,
      admin,
    );
    assert.equal(status, 200, JSON.stringify(body));
    const lines = body.entries.map(({ action, siteId }: Record<string, string>) => [action, siteId]);
    return lines.filter(([action]: string[]) => action !== 'GET /v1/audit'); // each look leaves a line, too
  };
  const change = ['PATCH /v1/sites/:siteId', siteId];
  const making = ['POST /v1/sites', siteId];
  assert.deepEqual(await asked({ propertyId: 'mill' }), [change, making]);
  assert.deepEqual(await asked({ propertyId: siteId, action: 'POST /v1/sites' }), [making]);
  assert.deepEqual(await asked({ propertyId: 'mill', from: between }), [change]);
  assert.deepEqual(await asked({ propertyId: 'mill', to: between }), [making]);
  assert.deepEqual(await asked({ propertyId: 'mill', actor: 'user:nobody' }), []);
  assert.equal(
    (await call(`${server.url}/v1/audit?propertyId=nowhere`, 'GET', undefined, admin)).status,
    400,
  );
});

// GraphQL: one answer by both doors is equal; roles, limits, refusals and the audit log are the routes' own; no question is
// larger than it may be.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  buildClientSchema,
  buildSchema,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { dayOf } from '../../ground/lib/days.ts';
import { depthRule } from './answer.ts';

let server: TestServer;
let schema: GraphQLSchema;
let leadId: string;
const keys: Record<string, string> = {};
const today = dayOf(Date.now());

const get = (path: string, headers = admin) => call(server.url + path, 'GET', undefined, headers);
const ask = (query: string, variables: object = {}, headers: Record<string, string> = admin, to = server) =>
  call(`${to.url}/v1/graphql`, 'POST', { query, variables }, headers);
const bearer = (scope: string) => ({ authorization: `Bearer ${keys[scope]}` });

before(async () => {
  server = await startServer();
  const post = (path: string, body: object) => call(server.url + path, 'POST', body, admin);
  await post('/v1/sites', { key: 'bakery', settings: { till: 3 } });
  await post('/v1/sites', { key: 'mill' });
  for (const path of ['/', '/bread']) await post('/v1/events', makeEvent({ propertyId: 'bakery', path }));
  const lead = {
    email: 'ada@bakery.example',
    propertyId: 'bakery',
    anonId: 'ada-browser-1',
    payload: { n: 1 },
  };
  await post('/v1/leads/capture', lead);
  await post('/v1/admin/jobs/rollup', {});
  leadId = (await get('/v1/leads?propertyId=bakery')).body.leads[0].leadId;
  for (const scope of ['read', 'leads'])
    keys[scope] = (await post('/v1/keys', { name: scope, scopes: [scope], sites: ['bakery'] })).body.token;
  schema = buildClientSchema((await ask(getIntrospectionQuery())).body.data);
});
after(() => server.end());

/** Every field of a type, as deep as they go. */
function allOf(type: unknown): string {
  const named = getNamedType(type as never);
  if (!isObjectType(named)) return '';
  const fields = Object.values(named.getFields()).map((one) => `${one.name}${allOf(one.type)}`);
  return ` { ${fields.join(' ')} }`;
}
const fieldOf = (name: string) =>
  (schema.getQueryType() ?? assert.fail()).getFields()[name] ?? assert.fail(name);
/** What is absent in JSON is null in GraphQL. */
const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, one) => (one === null ? undefined : one)));

test('what a route answers, GraphQL answers', async () => {
  const window = `from: "${today}", to: "${today}", propertyId: "bakery"`;
  const query = `?from=${today}&to=${today}&propertyId=bakery`;
  const doors: [string, string, string][] = [
    ['getMetricsSummary', `${window}, compareTo: "yes"`, `/v1/metrics/summary${query}&compareTo=yes`],
    ['getMetricsTimeseries', `${window}, interval: "week"`, `/v1/metrics/timeseries${query}&interval=week`],
    [
      'getMetricsBreakdown',
      `${window}, by: "pages", limit: 5`,
      `/v1/metrics/breakdown${query}&by=pages&limit=5`,
    ],
    [
      'getSiteAnalytics',
      `siteId: "bakery", start: "${today}", end: "${today}"`,
      `/v1/sites/bakery/analytics?start=${today}&end=${today}`,
    ],
    ['getSite', 'siteId: "bakery"', '/v1/sites/bakery'],
    ['listLeads', 'propertyId: "bakery", limit: 10', '/v1/leads?propertyId=bakery&limit=10'],
    ['getSubscription', 'siteId: "bakery"', '/v1/sites/bakery/subscription'],
    [
      'listAuditEntries',
      'propertyId: "mill", action: "POST /v1/sites"',
      '/v1/audit?propertyId=mill&action=POST%20/v1/sites',
    ],
  ];
  for (const [name, args, path] of doors) {
    const { status, body } = await ask(`{ ${name}(${args})${allOf(fieldOf(name).type)} }`);
    assert.deepEqual([status, body.errors], [200, undefined], name);
    const { ok: _ok, ...plain } = (await get(path)).body;
    const shown = withoutNulls(body.data[name]);
    assert.ok(JSON.stringify(shown).length > 100, name);
    assert.deepEqual(shown, withoutNulls(plain), name);
  }
});

test('a mutation is its route: it changes, is refused and is noted as that', async () => {
  const change = 'mutation ($name: String) { updateSite(siteId: "mill", name: $name) { site { name } } }';
  const done = await ask(change, { name: 'The mill' });
  assert.deepEqual(done.body, { data: { updateSite: { site: { name: 'The mill' } } } });
  const { body } = await get('/v1/audit?propertyId=mill&limit=1&action=PATCH%20%2Fv1%2Fsites%2F%3AsiteId');
  assert.deepEqual(body.entries[0].details, { changes: ['name'] });
  const wrong = await ask('mutation { createSite(key: "mill") { site { siteId } } }');
  assert.equal(wrong.status, 200);
  assert.deepEqual(wrong.body.data, { createSite: null });
  assert.deepEqual(
    [wrong.body.errors[0].extensions.code, wrong.body.errors[0].extensions.issues[0].path],
    ['conflict', 'key'],
  );
});

test('each part asks for its own capability and site; what is refused leaves the rest', async () => {
  const both = `{ getSiteAnalytics(siteId: "bakery", start: "${today}", end: "${today}") { metrics { sessions { value } } }
    getLead(leadId: "${leadId}") { lead { email } } }`;
  const read = (await ask(both, {}, bearer('read'))).body;
  assert.equal(read.data.getLead, null);
  assert.ok(read.data.getSiteAnalytics.metrics.sessions.value >= 1);
  assert.deepEqual(
    read.errors.map(({ path, extensions }: { path: string[]; extensions: { code: string } }) => [
      path,
      extensions.code,
    ]),
    [[['getLead'], 'forbidden']],
  );
  const leads = (await ask(both, {}, bearer('leads'))).body;
  assert.equal(leads.data.getLead.lead.email, 'ada@bakery.example');
  assert.equal(leads.data.getSiteAnalytics, null);
  const other = `{ getSiteAnalytics(siteId: "mill", start: "${today}", end: "${today}") { partial } }`;
  assert.equal((await ask(other, {}, bearer('read'))).body.errors[0].extensions.code, 'not_found');
  assert.equal((await ask(both, {}, {})).status, 401);
});

test('a question that is too deep, too dear or too long is refused before anything of it is done', async () => {
  const code = async (query: string, headers = admin) => {
    const { status, body } = await ask(query, {}, headers as typeof admin);
    return [status, body.errors?.[0].extensions.code ?? body.error];
  };
  const one = (n: number) => `a${n}: getSite(siteId: "bakery") { site { key } }`;
  const many = (count: number) => `{ ${Array.from({ length: count }, (_, n) => one(n)).join('\n')} }`;
  assert.equal((await ask(many(12))).status, 200);
  assert.deepEqual(await code(many(14)), [400, 'invalid_request']);
  assert.match((await ask(many(14))).body.errors[0].message, /costs \d+ of at most 1000/);
  assert.match((await ask(many(200))).body.errors[0].message, /token/i);
  assert.deepEqual(await code(`{ ${' '.repeat(33_000)} }`), [413, 'payload_too_large']);
  assert.deepEqual(await code('{ nothing }'), [400, 'invalid_request']);
  assert.deepEqual(await code('{ getSite(siteId: '), [400, 'invalid_request']);
  assert.deepEqual(
    await code('{ getSite(siteId: "bakery") { ...A } } fragment A on GetSiteAnswer { ...A }'),
    [400, 'invalid_request'],
  );
  // no type of ours is nine levels deep, but a question about types can be, and that is for admins
  assert.deepEqual(await code('{ __schema { types { name } } }', bearer('read') as never), [
    400,
    'invalid_request',
  ]);
});

test('where only known questions are answered, another is refused, and none where it is off', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'marketing-graphql-'));
  const query = '{ getSite(siteId: "default") { site { key } } }';
  writeFileSync(join(folder, 'graphql-queries.json'), JSON.stringify([query]));
  const known = await startServer({ GRAPHQL: 'known', DATA_DIR: folder });
  const hash = createHash('sha256').update(query).digest('hex');
  const send = (sha256Hash: string) =>
    call(
      `${known.url}/v1/graphql`,
      'POST',
      { extensions: { persistedQuery: { version: 1, sha256Hash } } },
      admin,
    );
  assert.equal((await send(hash)).body.data.getSite.site.key, 'default');
  assert.deepEqual(
    [(await send('0'.repeat(64))).status, (await ask(query, {}, admin, known)).status],
    [400, 400],
  );
  await known.end();
  rmSync(folder, { recursive: true });
  const off = await startServer({ GRAPHQL: 'off' });
  assert.equal((await ask(query, {}, admin, off)).status, 404);
  await off.end();
});

test('fragments that name the next one twice, forty times over, are measured in one look at each', async () => {
  const chain = Array.from({ length: 40 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
  const question = `{ ...F0 } ${chain.join(' ')} fragment F40 on Query { __typename }`;
  const { status } = await ask(question, {}, bearer('read'));
  assert.ok([200, 400].includes(status), `${status}`);
});

test('more than eight levels of fields are refused, by fragments too; about types there is no bound', () => {
  const deep = buildSchema('type Query { down: Query, name: String }');
  const levels = (count: number) => `${'{ down '.repeat(count - 1)}{ name }${' }'.repeat(count - 1)}`;
  const isRefused = (question: string) => validate(deep, parse(question), [depthRule]).length > 0;
  assert.deepEqual([levels(8), levels(9)].map(isRefused), [false, true]);
  const halves = (below: number) =>
    `{ down { down { down { down { ...Rest } } } } } fragment Rest on Query ${levels(below)}`;
  assert.deepEqual([halves(4), halves(5)].map(isRefused), [false, true]);
  assert.equal(isRefused(`{ __schema ${levels(12)} }`), false);
});

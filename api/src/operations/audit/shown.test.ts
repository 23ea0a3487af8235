// Which routes answer with people is read off their answers; each of them leaves a line that says whose they were, on each site.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { z } from 'zod';
import { examplesOf } from '../../../test/examples.ts';
import { send } from '../../../test/send.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePlace, WORLD_SETTINGS } from '../../../test/world.ts';
import { CAPABILITIES } from '../../ground/http/caller.ts';
import { openRecord } from '../../ground/http/fields.ts';
import { isLook } from '../../ground/http/looked.ts';
import { jsonAnswerOf, methodOf, type Route } from '../../ground/http/route.ts';

let server: TestServer;
before(async () => {
  server = await startServer(WORLD_SETTINGS);
});
after(() => server.end());

/** What stands for a person, or is what somebody wrote or was told. */
const OF_PEOPLE =
  /^(leadId|leadIds|visitorId|firstVisitorId|mergedVisitorId|anonId|userId|recipientId|email|mailTo|fullName|actor|subject|review|cards|proofs|payload|requests)$/;
const openValue = (openRecord as z.ZodRecord).def.valueType;

/** The fields of a route's answer that are of people; `{}` is one that others fill as they like. */
function ofPeople({ answers }: Route): string[] {
  const found = new Set<string>();
  const walk = (schema: z.core.$ZodType, at: string, depth: number): void => {
    if (depth > 20) return;
    const { def } = (schema as z.core.$ZodTypes)._zod;
    if (def.type === 'object')
      for (const [name, field] of Object.entries(def.shape)) {
        if (OF_PEOPLE.test(name)) found.add(name);
        walk(field, `${at}.${name}`, depth + 1);
      }
    if (def.type === 'record') {
      if (def.valueType === openValue) found.add(`${at}{}`);
      else walk(def.valueType, at, depth + 1);
    }
    if (def.type === 'array') walk(def.element, at, depth + 1);
    if (def.type === 'union') for (const one of def.options) walk(one, at, depth + 1);
    if (def.type === 'pipe') walk(def.out, at, depth + 1);
    if ('innerType' in def) walk(def.innerType, at, depth + 1);
  };
  const shape = jsonAnswerOf(answers)?.shape;
  if (shape) walk(shape, '', 0);
  return [...found];
}

const guarded = () => server.routes.filter(({ who }) => who in CAPABILITIES);
const lines = async (action: string) =>
  (
    await server.database.owner.query(
      'select outcome, site_id as "siteId", target, details from audit_log where action = $1 order by audit_id',
      [action],
    )
  ).rows;

/** Routes that show nobody, and why a field of theirs that could be of people is not. */
const NOBODY: Record<string, string> = {
  describeHooks: 'samples are made up',
  getSite: 'settings are the owner’s own words',
  getStatus: 'of what jobs found only how much: a test below',
  listIntegrations: 'where in a message of another system an address stands',
  listJobs: 'of what jobs found only how much: a test below',
  listSites: 'settings are the owner’s own words',
};

test('no route that answers with people says that it shows none', () => {
  const silent = guarded().filter(({ shows }) => shows === 'no people');
  assert.ok(silent.length >= 15);
  const saying = silent.filter((route) => ofPeople(route).length > 0).map(({ id }) => id);
  assert.deepEqual(saying.sort(), Object.keys(NOBODY).sort());
});

test('what a job found about people stands in its runs, where a look leaves a line, and at a glance only how many', async () => {
  const email = `chained-${randomUUID()}@example.com`;
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, consentStatus: 'implied' });
  const [{ lead_id: leadId }] = (
    await server.database.owner.query('select lead_id from leads where email_normalized = $1', [email])
  ).rows;
  await server.database.owner.query('delete from consent_records where lead_id = $1', [leadId]);
  const run = await call(`${server.url}/v1/admin/jobs/consent_chains`, 'POST', {}, admin);
  assert.equal(run.status, 200);
  const get = async (path: string) => {
    const { status, body } = await call(`${server.url}${path}`, 'GET', undefined, admin);
    assert.equal(status, 200);
    return JSON.stringify(body);
  };
  assert.match(await get('/v1/admin/jobs/consent_chains'), new RegExp(leadId));
  assert.equal((await lines('GET /v1/admin/jobs/:job')).at(-1).details.runs, 1);
  for (const path of ['/v1/admin/jobs', '/v1/admin/status']) {
    const said = await get(path);
    assert.doesNotMatch(said, new RegExp(leadId), path);
    assert.match(said, /"brokenLeads":1\b/, path);
  }
});

test('whatever answers with people and is no GET leaves a line that says whose they were, or which list and how many', async () => {
  const place = await makePlace(server, 'mill-house');
  const examples = examplesOf(place);
  const told: string[] = [];
  for (const route of guarded().filter((one) => methodOf(one) !== 'GET' && ofPeople(one).length > 0)) {
    const earlier = (await lines(route.at)).length;
    const { status, text } = await send(server, route, examples[route.id]![0]!, admin);
    assert.ok(status < 300, `${route.id}: ${text.slice(0, 300)}`);
    const mine = (await lines(route.at)).slice(earlier);
    assert.ok(mine.length > 0, route.id);
    for (const { target, details } of mine) {
      const counts = Object.values(details ?? {}).filter((value) => typeof value === 'number');
      assert.ok(target !== null || (isLook(route) && details.filter && counts.length > 0), route.id);
      assert.doesNotMatch(
        JSON.stringify([target, details]),
        /@|mill-house/,
        `${route.id} says nobody’s words`,
      );
    }
    told.push(route.id);
  }
  for (const id of ['searchLeads', 'exportSubject', 'showErasureProof', 'showNotificationPreview', 'runJob'])
    assert.ok(told.includes(id), id);
});

test('whose data was asked for on several sites stands in a line of each, by the lead, else by a keyed hash of the address', async () => {
  const keys = ['first', 'second', 'third'].map((name) => `${name}-${randomUUID()}`);
  const siteIds: string[] = [];
  for (const key of keys)
    siteIds.push((await call(`${server.url}/v1/sites`, 'POST', { key }, admin)).body.site.siteId);
  const email = `asked-${randomUUID()}@example.com`;
  const hashes = siteIds.map((siteId) => server.services.leads.hashAddress(siteId, email));
  const hashAt = (n: number) => hashes[n]!.replace('\\x', '');
  // a lead of the first; the second has its address without a lead; the third nothing
  await call(`${server.url}/v1/leads/capture`, 'POST', { propertyId: keys[0], email });
  const leadId = (
    await server.database.owner.query(
      'select lead_id from leads where site_id = $1 and email_normalized = $2',
      [siteIds[0], email],
    )
  ).rows[0].lead_id;
  await call(`${server.url}/v1/your-data`, 'POST', { propertyId: keys[1], email });
  const post = async (path: string, body: object) => {
    const { status, body: answer } = await call(`${server.url}${path}`, 'POST', body, admin);
    assert.equal(status, 200, JSON.stringify(answer));
    return answer;
  };
  const newest = async (action: string, from = 0) =>
    (await lines(action))
      .slice(from)
      .filter(({ siteId }) => siteIds.includes(siteId))
      .map(({ siteId, target, outcome, details }) => [siteIds.indexOf(siteId), target, outcome, details]);

  const exported = await post('/v1/leads/export-subject', { email });
  const found = [exported, ...exported.others].map(({ site }) => siteIds.indexOf(site.siteId));
  const inExport = await newest('POST /v1/leads/export-subject');
  assert.deepEqual(
    inExport.map(([site]) => site),
    found,
  );
  assert.deepEqual(found, [0, 1]);
  for (const [site, target, outcome] of inExport)
    assert.deepEqual([target, outcome], [site === 0 ? leadId : hashAt(site), 200]);

  const erased = await post('/v1/leads/delete', { email });
  assert.deepEqual(
    (await newest('POST /v1/leads/delete')).map(([site, target, , details]) => [site, target, details]),
    erased.sites.map((one: { site: { siteId: string }; erasureId: string; erased: object }) => [
      siteIds.indexOf(one.site.siteId),
      one.erasureId,
      { erased: one.erased },
    ]),
  );

  const proofs = (await post('/v1/leads/erasure-proof', { email })).proofs as { siteId: string }[];
  assert.deepEqual(
    await newest('POST /v1/leads/erasure-proof'),
    siteIds.map((siteId, n) => [
      n,
      hashAt(n),
      200,
      { filter: { email: 'given' }, proofs: proofs.filter((one) => one.siteId === siteId).length },
    ]),
  );

  // also of who was nowhere: that nothing was found is an answer too
  for (const path of ['/v1/leads/export-subject', '/v1/leads/delete']) {
    const before = (await lines(`POST ${path}`)).length;
    const nobody = `nobody-${randomUUID()}@example.com`;
    assert.equal((await call(`${server.url}${path}`, 'POST', { email: nobody }, admin)).status, 404);
    assert.deepEqual(
      await newest(`POST ${path}`, before),
      siteIds.map((siteId, n) => [
        n,
        server.services.leads.hashAddress(siteId, nobody).replace('\\x', ''),
        404,
        null,
      ]),
    );
  }
});

test('a look at a list of several sites leaves a line on each that it showed somebody of, with how many', async () => {
  const keys = ['left', 'right'].map((name) => `${name}-${randomUUID()}`);
  const siteIds: string[] = [];
  for (const [n, key] of keys.entries()) {
    siteIds.push((await call(`${server.url}/v1/sites`, 'POST', { key }, admin)).body.site.siteId);
    for (let i = 0; i <= n; i += 1)
      await call(
        `${server.url}/v1/admin/requests`,
        'POST',
        { propertyId: key, kind: 'access', email: `r${i}@example.com` },
        admin,
      );
  }
  const looks: [string, string, () => Promise<unknown>][] = [
    [
      'GET /v1/admin/requests',
      'requests',
      () => call(`${server.url}/v1/admin/requests`, 'GET', undefined, admin),
    ],
    [
      'GET /v1/audit',
      'entries',
      () => call(`${server.url}/v1/audit?action=POST%20/v1/admin/requests`, 'GET', undefined, admin),
    ],
  ];
  for (const [action, list, look] of looks) {
    const earlier = (await lines(action)).length;
    await look();
    const noted = (await lines(action)).slice(earlier);
    assert.deepEqual(
      siteIds.map((siteId) =>
        noted.filter((line) => line.siteId === siteId).map(({ details }) => details[list]),
      ),
      [[1], [2]],
      action,
    );
    // whoever answers for one of them finds it there
    const { body } = await call(
      `${server.url}/v1/audit?propertyId=${keys[1]}&action=${encodeURIComponent(action)}`,
      'GET',
      undefined,
      admin,
    );
    assert.equal(body.entries[0].details[list], 2, action);
  }
});

test('the line of an export says which columns left, beside the filter, and no part of an address', async () => {
  await fetch(
    `${server.url}/v1/leads/export.csv?columns=email,payload&consent=pending&purpose=letters&q=ada`,
    { headers: admin },
  );
  const { details } = (await lines('GET /v1/leads/export.csv')).at(-1);
  assert.deepEqual(details.filter, {
    columns: ['email', 'payload'],
    consent: 'pending',
    purpose: 'letters',
    q: '3 letters',
  });
});

// Custom fields: what a site defines of leads, visitors and events; a wrong value costs nobody anything but itself.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address, ago, makeEvent } from '../../../test/make.ts';
import { newOwner, signedIn, signUpWith } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { visitorIdOf } from '../events/enrich.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const ask = (at: string, body?: unknown, headers: Record<string, string> = admin) => {
  const [method, path] = at.split(' ') as [string, string];
  return call(server.url + path, method, body, headers);
};
const AT = '/v1/sites/default/custom-fields';
async function define(field: object) {
  const { status, body } = await ask(`POST ${AT}`, field);
  assert.equal(status, 201, JSON.stringify(body));
  return body.field;
}
const named = (version: number) => ({ ...admin, 'if-match': `"${version}"` });
const capture = (payload: object, email = address(), more = {}) =>
  ask('POST /v1/leads/capture', { email, payload, ...more }, {});
const leadOf = async (email: string, headers: Record<string, string> = admin) =>
  (await ask(`GET /v1/leads/${await leadIdOf(server, email)}`, undefined, headers)).body;

test('a field has a name, a type and whose it is; an enum has options, and no other has', async () => {
  const field = await define({ name: 'budget', fieldType: 'number', on: 'lead' });
  assert.deepEqual(
    [field.name, field.fieldType, field.on, field.personal, field.options, field.version],
    ['budget', 'number', 'lead', true, null, 1],
  );
  const size = await define({
    name: 'size',
    fieldType: 'enum',
    on: 'lead',
    personal: false,
    options: ['small', 'large'],
  });
  for (const [name, fieldType] of [
    ['newsletter', 'boolean'],
    ['opening', 'date'],
    ['wish', 'text'],
  ])
    await define({ name, fieldType, on: 'lead' });
  const faults = async (body: object) => {
    const { status, body: answer } = await ask(`POST ${AT}`, body);
    return [status, answer.issues?.[0]?.path];
  };
  assert.deepEqual(await faults({ name: 'x', fieldType: 'enum', on: 'lead' }), [400, 'options']);
  assert.deepEqual(await faults({ name: 'x', fieldType: 'text', on: 'lead', options: ['a'] }), [
    400,
    'options',
  ]);
  assert.deepEqual(await faults({ name: 'x', fieldType: 'money', on: 'lead' }), [400, 'fieldType']);
  assert.deepEqual(await faults({ name: 'x', fieldType: 'text', on: 'page' }), [400, 'on']);
  assert.deepEqual(await faults({ name: 'formName', fieldType: 'text', on: 'event' }), [400, 'name']);
  assert.deepEqual(await faults({ name: 'size', fieldType: 'text', on: 'lead' }), [409, 'name']);
  assert.ok((await define({ name: 'size', fieldType: 'number', on: 'event', personal: false })).fieldId);
  assert.deepEqual(await faults({ name: 'size', fieldType: 'text', on: 'visitor' }), [409, 'name']);
  const { fields } = (await ask(`GET ${AT}`)).body;
  assert.equal(fields.length, 6);
  assert.deepEqual(
    fields.find(({ fieldId }: { fieldId: string }) => fieldId === size.fieldId),
    size,
  );
});

test('a value of a form is kept with the lead as what it is, and a wrong one is left out with a warning', async () => {
  const email = address();
  const { status, body } = await capture(
    { budget: ' 1250.5 ', size: 'small', newsletter: 'on', opening: '2026-02-28', wish: 'rye', other: 'x' },
    email,
  );
  assert.deepEqual([status, body.warnings], [200, undefined]);
  const { lead, submissions } = await leadOf(email);
  const values = { budget: 1250.5, size: 'small', newsletter: true, opening: '2026-02-28', wish: 'rye' };
  assert.deepEqual(lead.attributes, values);
  assert.deepEqual(submissions[0].payload, { ...values, other: 'x' });

  const wrong = await capture(
    {
      budget: 'about 50',
      size: 'Small',
      newsletter: 'perhaps',
      opening: '2026-02-30',
      wish: { a: 1 },
      other: 'y',
    },
    email,
  );
  assert.equal(wrong.status, 200);
  assert.deepEqual(
    wrong.body.warnings
      .map(({ path, message }: { path: string; message: string }) => `${path} ${message}`)
      .sort(),
    [
      'payload.budget was left out: it must be a number, such as 12.5',
      'payload.newsletter was left out: it must be true or false',
      'payload.opening was left out: it must be a day, such as 2026-01-31',
      'payload.size was left out: it must be one of small, large',
      'payload.wish was left out: it must be a text',
    ],
  );
  const again = await leadOf(email);
  assert.deepEqual(again.lead.attributes, values, 'what was right stays');
  assert.deepEqual(
    again.submissions
      .map(({ payload }: { payload: object }) => payload)
      .find((one: object) => !('size' in one)),
    { other: 'y' },
  );
  await capture({ budget: 9 }, email);
  assert.deepEqual(
    (await leadOf(email)).lead.attributes,
    { ...values, budget: 9 },
    'what was said last holds',
  );
  const long = await capture({ wish: 'w'.repeat(600) }, email);
  assert.deepEqual(long.body.warnings, [{ path: 'payload.wish', message: 'was cut at 500 characters' }]);
  assert.equal((await leadOf(email)).lead.attributes.wish.length, 500);
});

test('a plain form without JavaScript is taken likewise, and its person is sent on', async () => {
  const email = address();
  const answer = await fetch(`${server.url}/v1/leads/capture`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ email, budget: 'lots', size: 'large', 'payload[newsletter]': 'no' }),
  });
  assert.equal(answer.status, 303);
  assert.deepEqual((await leadOf(email)).lead.attributes, { size: 'large', newsletter: false });
});

test('what was held back as spam has its values when it is released', async () => {
  const email = address();
  const message = 'buy <a href="x">x</a> http://y.example http://z.example http://w.example';
  const spam = await ask(
    'POST /v1/leads/capture',
    { email, payload: { message, budget: '70', size: 'huge' } },
    { 'user-agent': 'curl/8' },
  );
  assert.equal(spam.status, 200);
  const { quarantined } = (await ask('GET /v1/admin/quarantine')).body;
  const [held] = quarantined.filter((one: { email: string }) => one.email === email);
  assert.ok(held, JSON.stringify(quarantined));
  assert.equal((await ask(`POST /v1/admin/quarantine/${held.quarantineId}/release`, {})).status, 200);
  assert.deepEqual((await leadOf(email)).lead.attributes, { budget: 70 });
});

test('an import keeps values as their fields have them, and its report says what was left out', async () => {
  const [right, wrong] = [address(), address()];
  const csv = `email,budget,size,branch\n${right},12,large,north\n${wrong},dozens,large,south\n`;
  const { status, body } = await ask('POST /v1/leads/import', { csv });
  assert.equal(status, 200);
  assert.equal(body.rows[0].message, undefined);
  assert.equal(body.rows[1].message, 'attributes.budget was left out: it must be a number, such as 12.5');
  assert.deepEqual((await leadOf(right)).lead.attributes, { budget: 12, size: 'large', branch: 'north' });
  assert.deepEqual((await leadOf(wrong)).lead.attributes, { size: 'large', branch: 'south' });
});

test('values are in the export, in what a person is told of themselves, and gone with the person', async () => {
  const email = address();
  await capture({ budget: 4321, wish: 'spelt-of-one' }, email);
  const csv = await fetch(`${server.url}/v1/leads/export.csv?columns=email,attributes`, { headers: admin });
  const line = (await csv.text()).split('\r\n').find((one) => one.startsWith(email));
  assert.match(line!, /""wish"":""spelt-of-one"".*""budget"":4321/);
  const { subject } = (await ask('POST /v1/leads/export-subject', { email })).body;
  assert.match(JSON.stringify(subject), /"budget":4321/);
  assert.equal((await ask('POST /v1/leads/delete', { email })).body.deleted, true);
  const { rows } = await server.database.owner.query(
    "select from leads where attributes::text like '%spelt-of-one%' union all select from submissions where payload::text like '%spelt-of-one%'",
  );
  assert.equal(rows.length, 0);
});

test('who may not see who a lead is sees the fields that say nothing of a person, and no other', async () => {
  const email = address();
  const anonId = `shopper-${randomUUID()}`;
  await define({ name: 'basket', fieldType: 'number', on: 'event', personal: false });
  await define({ name: 'coupon', fieldType: 'text', on: 'event' });
  const props = { basket: 30, coupon: 'ADA10', other: 'secret' };
  await ask('POST /v1/events', makeEvent({ anonId, eventType: 'add', props }), {});
  await capture({ budget: 77, size: 'small', other: 'secret' }, email, { anonId });
  const { body } = await ask('POST /v1/invitations', { role: 'analyst', sites: ['default'] });
  const analyst = signedIn(
    await signUpWith(server, body.link.split('/').at(-1), 'ann@bakery.example', 'rye, oats and a lens'),
  );
  const seen = await leadOf(email, analyst.headers);
  assert.deepEqual(seen.lead.attributes, { size: 'small' });
  const added = seen.events.find(({ eventType }: { eventType: string }) => eventType === 'add');
  assert.deepEqual([added.props, seen.submissions[0].payload], [{ basket: 30 }, null]);
  const listed = (await ask('GET /v1/leads?limit=200', undefined, analyst.headers)).body.leads;
  assert.deepEqual(listed.find(({ leadId }: { leadId: string }) => leadId === seen.lead.leadId).attributes, {
    size: 'small',
  });
  assert.doesNotMatch(JSON.stringify([seen, listed]), /budget|secret|ADA10/);

  const of = (prop: string) => {
    const day = ago(0).slice(0, 10);
    return ask(`GET /v1/metrics/breakdown?from=${day}&to=${day}&by=prop:${prop}`, undefined, analyst.headers);
  };
  assert.equal((await of('basket')).status, 200);
  const hidden = await of('coupon');
  assert.deepEqual([hidden.status, hidden.body.error], [403, 'forbidden']);

  for (const at of [`GET ${AT}`, `POST ${AT}`])
    assert.equal((await ask(at, at.startsWith('POST') ? {} : undefined, analyst.headers)).status, 403);
  const owner = await newOwner(server, 'owner@bakery.example', 'rye, oats and a mill');
  assert.equal((await ask(`GET ${AT}`, undefined, owner.headers)).status, 200);
});

test('a wrong prop of an event is left out with a warning, alone or in a batch, and the event is stored', async () => {
  await define({ name: 'seats', fieldType: 'number', on: 'event', personal: false });
  const event = (props: object) => makeEvent({ eventType: 'booked', props });
  const one = await ask('POST /v1/events', event({ seats: '4', note: 'window' }), {});
  assert.deepEqual([one.status, one.body.warnings], [202, undefined]);
  const wrong = event({ seats: 'four', note: 'aisle' });
  const { status, body } = await ask('POST /v1/events', wrong, {});
  assert.equal(status, 202);
  const warnings = [{ path: 'props.seats', message: 'was left out: it must be a number, such as 12.5' }];
  assert.deepEqual(body.warnings, warnings);
  assert.equal((await ask('POST /v1/events', wrong, {})).body.duplicate, true);
  const many = await ask('POST /v1/events', { events: [event({ seats: [1] }), event({ seats: 2 })] }, {});
  assert.deepEqual([many.body.results[0].warnings, many.body.results[1].warnings], [warnings, undefined]);
  const { rows } = await server.database.owner.query(
    "select props from events where event_type = 'booked' order by props ->> 'note', props ->> 'seats'",
  );
  assert.deepEqual(
    rows.map(({ props }) => props),
    [{ note: 'aisle' }, { seats: 4, note: 'window' }, { seats: 2 }, null],
  );
});

test('a visitor who agreed to be known again has what their events said last; nobody else has a profile', async () => {
  await ask('PATCH /v1/sites/default', { settings: { visitorScores: true } });
  await define({ name: 'tier', fieldType: 'enum', on: 'visitor', personal: false, options: ['free', 'pro'] });
  await define({ name: 'nickname', fieldType: 'text', on: 'visitor' });
  const anonId = `known-${randomUUID()}`;
  const at = `GET /v1/sites/default/visitors/${visitorIdOf(siteId, anonId)}`;
  const say = (props: object, minutes: number) =>
    ask(
      'POST /v1/events',
      makeEvent({ anonId, eventType: 'told', props, timestamp: ago(minutes * 60_000) }),
      {},
    );
  await say({ tier: 'free', nickname: 'Ada' }, 5);
  assert.equal((await ask(at)).status, 404);
  await say({ tier: 'pro' }, 2);
  assert.equal((await say({ tier: 'gold' }, 1)).body.warnings[0].path, 'props.tier');
  await ask(
    'POST /v1/choices',
    { choiceId: randomUUID(), mode: 'full', words: 'May we know you?', language: 'en', anonId },
    {},
  );
  const { fields } = (await ask(at)).body;
  assert.deepEqual(fields, { tier: 'pro', nickname: 'Ada' });
  const { body } = await ask('POST /v1/invitations', { role: 'analyst', sites: ['default'] });
  const analyst = signedIn(
    await signUpWith(server, body.link.split('/').at(-1), 'bo@bakery.example', 'rye, oats and a glass'),
  );
  assert.deepEqual((await ask(at, undefined, analyst.headers)).body.fields, { tier: 'pro' });
});

test('who changes or ends a field names its version; values stay, and of what it was no check is left', async () => {
  const field = await define({ name: 'floor', fieldType: 'enum', on: 'lead', options: ['low'] });
  const at = `${AT}/${field.fieldId}`;
  const email = address();
  await capture({ floor: 'low' }, email);
  const unsaid = await ask(`PATCH ${at}`, { options: ['low', 'high'] });
  assert.deepEqual([unsaid.status, unsaid.body.error], [412, 'precondition_failed']);
  const both = await Promise.all([
    ask(`PATCH ${at}`, { options: ['low', 'high'] }, named(1)),
    ask(`PATCH ${at}`, { options: ['low', 'high'] }, named(1)),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
  assert.equal((await capture({ floor: 'high' }, email)).body.warnings, undefined);
  assert.equal((await ask(`DELETE ${at}`)).status, 412);
  assert.equal((await ask(`DELETE ${at}`, undefined, named(2))).status, 200);
  assert.equal((await ask(`DELETE ${at}`, undefined, named(2))).status, 404);
  const loose = await capture({ floor: 'roof' }, email);
  assert.equal(loose.body.warnings, undefined);
  const { lead, submissions } = await leadOf(email);
  assert.deepEqual([lead.attributes, submissions[0].payload.floor], [{ floor: 'high' }, 'roof']);
  const [budget] = (await ask(`GET ${AT}`)).body.fields.filter(
    ({ name }: { name: string }) => name === 'budget',
  );
  const none = await ask(`PATCH ${AT}/${budget.fieldId}`, { options: ['a'] }, named(budget.version));
  assert.deepEqual([none.status, none.body.issues[0].path], [400, 'options']);
});

test('a site has fifty fields at most, its own and no other’s', async () => {
  const { body } = await ask('POST /v1/sites', { key: 'mill', name: 'Mill' });
  const mill = `/v1/sites/${body.site.siteId}/custom-fields`;
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  for (let n = 0; n < 50; n += 10)
    answers.push(
      ...(await Promise.all(
        Array.from({ length: n === 40 ? 12 : 10 }, (_, i) =>
          ask(`POST ${mill}`, { name: `field ${n + i}`, fieldType: 'number', on: 'lead' }),
        ),
      )),
    );
  assert.deepEqual(
    [201, 409].map((wanted) => answers.filter(({ status }) => status === wanted).length),
    [50, 2],
  );
  const { field } = answers.find(({ status }) => status === 201)!.body;
  assert.equal((await ask(`PATCH ${AT}/${field.fieldId}`, {}, named(1))).status, 404);
  const free = await capture({ 'field 1': 'not a number' });
  assert.equal(free.body.warnings, undefined);
  const bound = await capture({ 'field 1': 'not a number' }, address(), { propertyId: 'mill' });
  assert.equal(bound.body.warnings[0].path, 'payload.field 1');
});

// Endpoints of other systems are told what happened, signed, again and again until they took it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { address, anon } from '../../../test/make.ts';
import { isSignedBy, makeReceiver, type Receiver, reachLocal } from '../../../test/receiver.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
let receiver: Receiver;
let site: string;
before(async () => {
  server = await startServer({}, undefined, undefined, { reach: reachLocal });
  receiver = await makeReceiver();
  site = `${server.url}/v1/sites/${server.services.sites.fallback().siteId}`;
});
after(async () => {
  receiver.close();
  await server.end();
});
beforeEach(async () => {
  await server.database.owner.query('delete from webhooks');
  receiver.received = [];
  receiver.answers = () => ({ status: 204 });
});

const ask = async (path: string, method = 'GET', body?: unknown, headers = {}) =>
  call(path.startsWith('/') ? server.url + path : `${site}/${path}`, method, body, { ...admin, ...headers });
const endpoint = async (more: object = {}) => {
  const made = await ask('webhooks', 'POST', { url: receiver.url, types: ['lead.captured'], ...more });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return { id: made.body.webhook.webhookId as string, secret: made.body.secret as string };
};
const capture = (email = address()) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), path: '/contact' });
/** As if so much time had passed: what is due later is due now. */
async function later() {
  const { owner } = server.database;
  await owner.query("update deliveries set due_at = now() where state = 'pending'");
  await owner.query("update webhooks set resting_until = '-infinity', leased_until = '-infinity'");
}
async function delivered() {
  // what is under way ends first: without its lease it would be told twice
  await server.services.deliverer.deliver();
  await later();
  await server.services.deliverer.deliver();
}
const log = async (query = '') => (await ask(`deliveries${query}`)).body.deliveries;

test('an endpoint is told of a lead by ids, signed so that the package of Standard Webhooks takes it', async () => {
  const { secret } = await endpoint();
  const email = address();
  await capture(email);
  await delivered();
  assert.equal(receiver.received.length, 1);
  const [one] = receiver.received;
  assert.ok(isSignedBy(secret, one!));
  assert.equal(isSignedBy(secret, { ...one!, text: one!.text.replace('true', 'null') }), false);
  assert.equal(one!.body.type, 'lead.captured');
  assert.equal(one!.body.data.path, '/contact');
  assert.ok(Date.parse(one!.body.timestamp) > 0 && !one!.text.includes(email));
  const [entry] = await log();
  assert.equal(entry.messageId, one!.headers['webhook-id']);
  assert.deepEqual([entry.state, entry.attempts[0].status], ['delivered', 204]);
});

test('an address is sent along only where it was asked for, and never once its person is erased', async () => {
  await endpoint({ personal: true });
  const [email, leaving] = [address(), address()];
  await capture(email);
  await delivered();
  assert.equal(receiver.received[0]!.body.data.email, email);
  receiver.answers = () => ({ status: 500 });
  await capture(leaving);
  await delivered();
  receiver.received = [];
  await ask('/v1/leads/delete', 'POST', { email: leaving });
  await delivered();
  assert.deepEqual(receiver.received, []);
  assert.equal((await log('?state=pending')).length, 0);
  const viewer = await ask('/v1/keys', 'POST', { name: 'numbers', scopes: ['read'] });
  const refused = await call(
    `${site}/webhooks`,
    'POST',
    {},
    { authorization: `Bearer ${viewer.body.token}` },
  );
  assert.equal(refused.status, 403);
});

test('nobody is told of a restricted lead, nor sent the address with what waited', async () => {
  await endpoint({ personal: true, types: ['lead.captured', 'conversion.recorded', 'review.submitted'] });
  const email = address();
  receiver.answers = () => ({ status: 500 });
  await capture(email);
  await delivered();
  receiver.received = [];
  receiver.answers = () => ({ status: 204 });
  const { rows } = await server.database.owner.query('select lead_id from leads where email = $1', [email]);
  const restrict = (all: boolean) => ask(`/v1/leads/${rows[0].lead_id}/restrict`, 'POST', { all });
  await restrict(true);
  await capture(email);
  await ask('/v1/conversions', 'POST', { id: `of ${email}`, kind: 'purchase', email });
  await ask('/v1/reviews', 'POST', { email, text: 'Good rye.', rating: 5 });
  await delivered();
  assert.deepEqual(
    receiver.received.map(({ body }) => [body.type, body.data.isNew, body.data.email]),
    [['lead.captured', true, undefined]],
  );
  await restrict(false);
  await capture(email);
  await delivered();
  assert.equal(receiver.received.at(-1)!.body.data.email, email);
});

test('what is not taken is tried ten times in all under one id, then it is dead, and the site is told', async () => {
  await endpoint();
  receiver.answers = () => ({ status: 302 });
  await capture();
  for (let i = 0; i < 12; i += 1) await delivered();
  assert.equal(receiver.received.length, 10);
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  const [entry] = await log('?state=dead');
  assert.deepEqual([entry.tries, entry.attempts.length, entry.attempts[9].outcome], [10, 10, 'refused']);
  const { siteId } = server.services.sites.fallback();
  const news = (await server.services.outbox.read(siteId, 0, 1000)).at(-1)!;
  assert.deepEqual([news.type, news.data.why], ['webhook.dead', 'gave_up']);

  receiver.answers = () => ({ status: 200 });
  const again = await ask(`deliveries/${entry.deliveryId}/replay`, 'POST');
  assert.equal(again.body.delivery.state, 'pending');
  await delivered();
  assert.equal((await log())[0].state, 'delivered');
});

test('who answers with Retry-After is left alone for so long', async () => {
  await endpoint();
  receiver.answers = () => ({ status: 429, retryAfter: '3600' });
  await capture();
  await server.services.deliverer.deliver();
  const { rows } = await server.database.owner.query(
    "select due_at > now() + interval '50 minutes' as due, resting_until > now() + interval '50 minutes' as rests from webhooks join deliveries using (webhook_id)",
  );
  assert.deepEqual(rows, [{ due: true, rests: true }]);
});

test('what an endpoint was changed to holds for what waits already: its address, whether it may have addresses, its secret, and off', async () => {
  const { id } = await endpoint({ personal: true });
  const version = async () => (await ask(`webhooks/${id}`)).body.webhook.version;
  const change = async (body: object) => {
    const { status } = await ask(`webhooks/${id}`, 'PATCH', body, { 'if-match': `"${await version()}"` });
    assert.equal(status, 200);
  };
  let secret = '';
  let turn = 0;
  const changes = [
    () => change({ personal: false }),
    () => change({ url: `${receiver.url}/elsewhere` }),
    async () => {
      secret = (await ask(`webhooks/${id}/rotate`, 'POST', { overlapHours: 0 })).body.secret;
    },
  ];
  // while one is being answered, before the next is taken
  receiver.answers = async () => {
    await changes[turn++]?.();
    return { status: 204 };
  };
  try {
    for (let n = 0; n < 4; n += 1) await capture();
    await server.services.deliverer.deliver();
  } finally {
    receiver.answers = () => ({ status: 204 });
  }
  const [first, second, third, fourth] = receiver.received;
  assert.deepEqual(
    [first, second, third, fourth].map((one) => [one!.body.data.email !== undefined, one!.path]),
    [
      [true, '/hook'],
      [false, '/hook'],
      [false, '/hook/elsewhere'],
      [false, '/hook/elsewhere'],
    ],
  );
  assert.ok(isSignedBy(secret, fourth!) && !isSignedBy(secret, third!));

  receiver.received = [];
  receiver.answers = async () => {
    await change({ enabled: false });
    return { status: 204 };
  };
  try {
    await Promise.all([capture(), capture()]);
    await server.services.deliverer.deliver();
  } finally {
    receiver.answers = () => ({ status: 204 });
  }
  assert.equal(receiver.received.length, 1, 'one that is off is told nothing more');
});

test('the test button leaves alone what the endpoint asked for, and the endpoint to others', async () => {
  const { id } = await endpoint();
  receiver.answers = () => ({ status: 429, retryAfter: '3600' });
  await capture();
  await server.services.deliverer.deliver();
  const standing = async () =>
    (
      await server.database.owner.query(
        'select resting_until, leased_until <= now() as free, failures from webhooks',
      )
    ).rows[0];
  const before = await standing();
  const { body } = await ask(`webhooks/${id}/test`, 'POST');
  assert.equal(body.delivery.state, 'dead');
  assert.deepEqual(await standing(), before);
  receiver.answers = () => ({ status: 200 });
  assert.equal((await ask(`webhooks/${id}/test`, 'POST')).body.delivery.state, 'delivered');
  assert.deepEqual(await standing(), before);
});

test('an endpoint that says it is gone is switched off, also one that failed for five days; on again, it gets what waited', async () => {
  const { owner } = server.database;
  const { id } = await endpoint();
  receiver.answers = () => ({ status: 410 });
  await capture();
  await delivered();
  assert.equal((await ask(`webhooks/${id}`)).body.webhook.disabledWhy, 'gone');
  receiver.answers = () => ({ status: 503 });
  const on = await ask(`webhooks/${id}`, 'PATCH', { enabled: true }, { 'if-match': '"2"' });
  assert.equal(on.body.webhook.disabledAt, null);
  await delivered();
  await owner.query("update webhooks set failing_since = now() - interval '5 days'");
  await delivered();
  const off = (await ask(`webhooks/${id}`)).body.webhook;
  assert.equal(off.disabledWhy, 'failures');
  assert.equal((await ask('/v1/admin/status')).body.webhooks.off, 1);
  const stale = await ask(`webhooks/${id}`, 'PATCH', { enabled: true }, { 'if-match': '"1"' });
  assert.deepEqual([stale.status, stale.body.error], [412, 'precondition_failed']);
  receiver.answers = () => ({ status: 200 });
  await ask(`webhooks/${id}`, 'PATCH', { enabled: true }, { 'if-match': `"${off.version}"` });
  await delivered();
  assert.equal((await log())[0].state, 'delivered');
});

test('an endpoint is ended by whoever names the version they saw', async () => {
  const { id } = await endpoint();
  await ask(`webhooks/${id}`, 'PATCH', { types: ['plan.warning'] }, { 'if-match': '"1"' });
  for (const headers of [{}, { 'if-match': '"1"' }]) {
    const { status, body } = await ask(`webhooks/${id}`, 'DELETE', undefined, headers);
    assert.deepEqual([status, body.error], [412, 'precondition_failed']);
  }
  assert.equal((await ask(`webhooks/${id}`)).status, 200);
  assert.equal((await ask(`webhooks/${id}`, 'DELETE', undefined, { 'if-match': '"2"' })).status, 200);
  assert.equal((await ask(`webhooks/${id}`, 'DELETE', undefined, { 'if-match': '"2"' })).status, 404);
});

test('while a rotation overlaps both secrets sign, then the new one alone', async () => {
  const { id, secret } = await endpoint();
  const { body } = await ask(`webhooks/${id}/rotate`, 'POST', { overlapHours: 1 });
  const tested = await ask(`webhooks/${id}/test`, 'POST');
  assert.equal(tested.body.delivery.state, 'delivered');
  const [both] = receiver.received;
  assert.ok(isSignedBy(secret, both!) && isSignedBy(body.secret, both!));
  assert.equal(both!.body.data.test, true);
  const now = await ask(`webhooks/${id}/rotate`, 'POST', { overlapHours: 0 });
  await ask(`webhooks/${id}/test`, 'POST');
  const [, one] = receiver.received;
  assert.deepEqual([isSignedBy(secret, one!), isSignedBy(now.body.secret, one!)], [false, true]);
});

test('a window of time is delivered again', async () => {
  const { id } = await endpoint();
  for (let i = 0; i < 3; i += 1) await capture();
  await delivered();
  const window = { from: '2026-01-01T00:00:00Z', to: '2999-01-01T00:00:00Z', status: 'all' };
  const { body } = await ask(`webhooks/${id}/replay`, 'POST', window);
  assert.equal(body.queued, 3);
  await delivered();
  assert.equal(receiver.received.length, 6);
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 3);
});

test('a program subscribes and ends its hook, and a hook that is gone is gone', async () => {
  const hook = { target_url: receiver.url, type: 'conversion.recorded' };
  const { body, status } = await ask('/v1/hooks', 'POST', hook);
  assert.equal(status, 201);
  const samples = await ask('/v1/hooks/samples?type=conversion.recorded');
  await ask('/v1/conversions', 'POST', { id: 'o-1', kind: 'signup', email: address() });
  await delivered();
  assert.deepEqual(
    Object.keys(receiver.received[0]!.body.data).sort(),
    Object.keys(samples.body.samples[0].data).sort(),
  );
  assert.equal((await ask(`/v1/hooks/${body.id}`, 'DELETE')).status, 200);
  assert.equal((await ask(`/v1/hooks/${body.id}`, 'DELETE')).status, 404);
  const other = await ask('/v1/hooks', 'POST', hook);
  receiver.answers = () => ({ status: 410 });
  await ask('/v1/conversions', 'POST', { id: 'o-2', kind: 'signup', email: address() });
  await delivered();
  assert.equal((await ask(`webhooks/${other.body.id}`)).status, 404);
});

test('what is no public https address is refused when it is written down', async () => {
  const plain = await startServer({ PUBLIC_URL: 'https://marketing.example' }, server.database);
  try {
    for (const url of [
      'http://example.com/',
      'https://u:p@example.com/',
      'https://example.com:8443/',
      'https://localhost/',
      'https://[::1]/',
      'https://marketing.example/x',
      'https://10.1.2.3/',
      'https://nas.local/',
    ]) {
      const { status, body } = await call(
        `${plain.url}/v1/sites/default/webhooks`,
        'POST',
        { url, types: ['lead.captured'] },
        admin,
      );
      assert.deepEqual([status, body.issues?.[0].path], [400, 'url'], url);
    }
  } finally {
    await plain.stop();
  }
});

// Plans that are paid for at Stripe: its signed events give a site its plan, in any order, once for each change.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { signedIn, signUpWith } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

const SECRET = 'whsec_plans';
const MAPPING = { plans: { price_small: 'small', price_large: 'large' }, planAfter: 'free' };
let server: TestServer;
let integration: { integrationId: string; version: number };
before(async () => {
  server = await startServer();
  await ask('POST /v1/sites', { key: 'bakery' });
  for (const [planId, webhooks] of [
    ['free', 0],
    ['small', 1],
    ['large', 5],
  ] as const)
    await ask('POST /v1/plans', { planId, name: planId, limits: { webhooks } });
  const { body, status } = await ask('POST /v1/sites/bakery/integrations', {
    kind: 'stripe',
    secret: SECRET,
    mapping: MAPPING,
  });
  assert.equal(status, 201, JSON.stringify(body));
  integration = body.integration;
});
after(() => server.end());

const ask = (at: string, body?: unknown, headers: Record<string, string> = admin) => {
  const [method, path] = at.split(' ') as [string, string];
  return call(server.url + path, method, body, headers);
};
const planOf = async (site = 'bakery') =>
  (await ask(`GET /v1/sites/${site}/subscription`)).body.subscription.plan.planId;
const rows = async (sql: string) => (await server.database.owner.query(sql)).rows;

/** Signed as Stripe does it. returns  what was received */
async function tell(type: string, object: object, created: number, more = {}): Promise<string> {
  const raw = JSON.stringify({
    id: `evt_${randomUUID()}`,
    type,
    created,
    livemode: true,
    data: { object },
    ...more,
  });
  const t = Math.floor(Date.now() / 1000);
  const v1 = createHmac('sha256', SECRET).update(`${t}.${raw}`).digest('hex');
  const answer = await fetch(`${server.url}/v1/in/${integration.integrationId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': `t=${t},v1=${v1}` },
    body: raw,
  });
  return ((await answer.json()) as { received: string }).received;
}
const checkout = (subscription: string, site: string, at: number) =>
  tell(
    'checkout.session.completed',
    {
      mode: 'subscription',
      subscription,
      client_reference_id: site,
      payment_status: 'paid',
      amount_total: 900,
      currency: 'cad',
    },
    at,
  );
const runs = (id: string, price: string, at: number, status = 'active', metadata = {}) =>
  tell(
    'customer.subscription.updated',
    { id, status, metadata, items: { data: [{ price: { id: price } }] } },
    at,
  );
const ends = (id: string, at: number) =>
  tell('customer.subscription.deleted', { id, status: 'canceled', items: { data: [] } }, at);

test('a site gets the plan that is paid for, whichever event comes first, and the one after it when it ends', async () => {
  const began = 1_800_000_000;
  // the price before whose it is
  assert.equal(await runs('sub_1', 'price_small', began), 'stored');
  assert.equal(await planOf(), 'unlimited');
  assert.equal(await checkout('sub_1', 'bakery', began), 'stored');
  assert.equal(await planOf(), 'small');
  await runs('sub_1', 'price_large', began + 20);
  assert.equal(await planOf(), 'large');
  // older than what is known
  await runs('sub_1', 'price_small', began + 10);
  assert.equal(await planOf(), 'large');
  await runs('sub_1', 'price_large', began + 30, 'past_due');
  assert.equal(await planOf(), 'large', 'a payment that is tried again ends nothing');
  await runs('sub_1', 'price_unknown', began + 35);
  assert.equal(await planOf(), 'large', 'of a price without a plan nothing is known');
  // the next one by its metadata, before the first ends
  await runs('sub_2', 'price_small', began + 40, 'trialing', { site: 'bakery' });
  assert.equal(await planOf(), 'small');
  await ends('sub_1', began + 50);
  assert.equal(await planOf(), 'small');
  await ends('sub_2', began + 60);
  assert.equal(await planOf(), 'free');
  assert.equal(
    (await rows('select from conversions')).length,
    0,
    'what is paid for a plan is no purchase at the site',
  );
  const { body } = await ask('GET /v1/audit?action=job%20billed_plans');
  assert.deepEqual(
    body.entries.map(({ details }: { details: { plan: string } }) => details.plan),
    ['free', 'small', 'large', 'small'],
  );
});

test('what names another site, no site, or comes of test mode gives nothing', async () => {
  const at = 1_800_001_000;
  for (const [n, site] of ['default', '', randomUUID()].entries()) {
    await checkout(`sub_other_${n}`, site, at);
    await runs(`sub_other_${n}`, 'price_large', at);
  }
  await tell(
    'customer.subscription.created',
    {
      id: 'sub_test',
      status: 'active',
      metadata: { site: 'bakery' },
      items: { data: [{ price: { id: 'price_large' } }] },
    },
    at,
    { livemode: false },
  );
  assert.equal(await planOf(), 'free');
  assert.equal(await planOf('default'), 'unlimited');
  assert.equal(await tell('invoice.paid', { id: 'in_1', amount_paid: 100, currency: 'cad' }, at), 'ignored');
});

test('a plan given by hand stays until something changes there, and one that is too small waits until it fits', async () => {
  const at = 1_800_002_000;
  await runs('sub_3', 'price_large', at, 'active', { site: 'bakery' });
  assert.equal(await planOf(), 'large');
  await ask('POST /v1/sites/bakery/subscription', { plan: 'unlimited' });
  await ask('POST /v1/admin/jobs/billed_plans', {});
  assert.equal(await planOf(), 'unlimited');
  const made: string[] = [];
  for (const path of ['one', 'two']) {
    const { body } = await ask('POST /v1/sites/bakery/webhooks', {
      url: `https://hooks.example/${path}`,
      types: ['lead.captured'],
    });
    made.push(body.webhook.webhookId);
  }
  await runs('sub_3', 'price_small', at + 10, 'active', { site: 'bakery' });
  assert.equal(await planOf(), 'unlimited');
  await rows(
    "update billed_subscriptions set heard_at = heard_at - interval '11 minutes' where reference = 'sub_3'",
  );
  const { plans } = (await server.services.status()) as unknown as { plans: { waiting: number } };
  assert.equal(plans.waiting, 1);
  const [first] = (await ask('GET /v1/sites/bakery/webhooks')).body.webhooks;
  await ask(`DELETE /v1/sites/bakery/webhooks/${first.webhookId}`, undefined, {
    ...admin,
    'if-match': `"${first.version}"`,
  });
  const { body } = await ask('POST /v1/admin/jobs/billed_plans', {});
  assert.deepEqual([body.run.result.given, body.run.result.waiting], [1, 0]);
  assert.equal(await planOf(), 'small');
  assert.equal(made.length, 2);
});

test('only an owner makes or changes an integration that gives plans', async () => {
  const invited = await ask('POST /v1/invitations', { role: 'admin', sites: ['bakery'] });
  const token = invited.body.link.split('/').at(-1);
  const { headers: as } = signedIn(
    await signUpWith(server, token, 'boss@bakery.example', 'rye, oats and an oven'),
  );
  const at = `/v1/sites/bakery/integrations/${integration.integrationId}`;
  const version = { 'if-match': `"${integration.version}"` };
  const wanted = { kind: 'stripe', secret: 'another', mapping: MAPPING };
  for (const answer of [
    await ask('POST /v1/sites/bakery/integrations', wanted, as),
    await ask(`PATCH ${at}`, { secret: 'mine' }, { ...as, ...version }),
    await ask(`DELETE ${at}`, undefined, { ...as, ...version }),
  ])
    assert.deepEqual([answer.status, answer.body.error], [403, 'forbidden']);
  for (const [mapping, path] of [
    [{ plans: MAPPING.plans }, 'mapping.planAfter'],
    [{ plans: { 'no price': 'small' }, planAfter: 'free' }, 'mapping.plans.no price'],
  ] as const) {
    const { status, body } = await ask('POST /v1/sites/bakery/integrations', { ...wanted, mapping });
    assert.deepEqual([status, body.issues[0].path], [400, path]);
  }
  const shop = await ask('POST /v1/sites/bakery/integrations', { ...wanted, kind: 'shopify' });
  assert.equal(shop.status, 400);
});

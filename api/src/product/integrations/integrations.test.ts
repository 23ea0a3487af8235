// Shops and payment services tell what happened there: only who has the secret, and however often, once.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { meaningOf, parseExactly } from './map.ts';
import type { Kind, Mapping } from './schema.ts';
import { isSigned } from './verify.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const ORDER = Buffer.from('{"id":820982911946154508,"email":"jon@example.com"}');
const hmac = (secret: string | Buffer, text: string | Buffer, as: 'hex' | 'base64') =>
  createHmac('sha256', secret).update(text).digest(as);
const NOW = 1614265330_000;
const WHSEC = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Kind, secret, headers, body, mapping. */
const VECTORS: [Kind, string, Record<string, string>, Buffer, Mapping?][] = [
  ['shopify', 'hush', { 'x-shopify-hmac-sha256': 'D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8=' }, ORDER],
  [
    'woocommerce',
    'hush',
    { 'x-wc-webhook-signature': 'D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8=' },
    ORDER,
  ],
  ['woocommerce', 'a&amp;b&lt;c&#039;', { 'x-wc-webhook-signature': hmac("a&b<c'", ORDER, 'base64') }, ORDER],
  [
    'stripe',
    'whsec_test',
    {
      'stripe-signature': `t=1614265330,v1=${'0'.repeat(64)},v1=${hmac('whsec_test', `1614265330.${ORDER}`, 'hex')},v0=x`,
    },
    ORDER,
  ],
  [
    'standard_webhooks',
    WHSEC,
    {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    Buffer.from('{"test": 2432232314}'),
  ],
  [
    'generic',
    'hush',
    { 'x-signature': `sha256=${hmac('hush', ORDER, 'hex')}` },
    ORDER,
    { signature: { header: 'X-Signature', encoding: 'hex' } },
  ],
  [
    'generic',
    'hush',
    { 'x-signature': hmac('hush', `1614265330.${ORDER}`, 'base64'), 'x-time': '1614265330' },
    ORDER,
    { signature: { header: 'x-signature', encoding: 'base64', timeHeader: 'x-time' } },
  ],
];

test('each sender’s own example of a signature is taken; one bit of the body, another secret, another time is not', () => {
  for (const [kind, secret, headers, raw, mapping = {}] of VECTORS) {
    const ask = (body: Buffer, secrets: string[], now = NOW, sent = headers) =>
      isSigned(kind, { headers: sent, raw: body, now }, secrets, mapping);
    assert.ok(ask(raw, [secret]), kind);
    assert.ok(ask(raw, ['another one', secret]), `${kind}, while a new secret is put in place`);
    assert.equal(ask(raw, ['another one']), false, kind);
    assert.equal(ask(raw, []), false, kind);
    for (let bit = 0; bit < raw.length * 8; bit += 7) {
      const flipped = Buffer.from(raw);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(ask(flipped, [secret]), false, `${kind} bit ${bit}`);
    }
    for (const name of Object.keys(headers)) {
      const { [name]: _, ...less } = headers;
      assert.equal(ask(raw, [secret], NOW, less as Record<string, string>), false, `${kind} without ${name}`);
    }
    const isTimed = kind === 'stripe' || kind === 'standard_webhooks' || mapping.signature?.timeHeader;
    for (const off of [-301_000, 301_000]) assert.equal(ask(raw, [secret], NOW + off), !isTimed, kind);
  }
  const [, secret, headers, raw] = VECTORS[0]!;
  const of = (shopDomain: string) => ({ ...headers, 'x-shopify-shop-domain': shopDomain });
  const mapping = { shopDomain: 'bakery.myshopify.com' };
  for (const [shop, fits] of [
    ['bakery.myshopify.com', true],
    ['mill.myshopify.com', false],
  ] as const)
    assert.equal(isSigned('shopify', { headers: of(shop), raw, now: NOW }, [secret], mapping), fits);
});

test('what a delivery means is read as its sender writes it', () => {
  const means = (kind: Kind, body: string, headers = {}, mapping: Mapping = {}) => {
    const { does } = meaningOf(kind, { headers, body: parseExactly(body), mapping, now: NOW });
    return does.what === 'conversion'
      ? [does.id, does.amount, does.currency, does.voidedAt !== undefined].join(' ')
      : does.what;
  };
  const shopify = (topic: string, more = '') =>
    means('shopify', `{"id":820982911946154508,"total_price":"9.90","currency":"CAD"${more}}`, {
      'x-shopify-topic': topic,
    });
  const gid = 'shopify:gid://shopify/Order/820982911946154508 9.90 CAD';
  assert.equal(shopify('orders/paid'), `${gid} false`, 'an id beyond 2^53 keeps every digit');
  assert.equal(shopify('orders/cancelled'), `${gid} true`);
  assert.equal(shopify('orders/updated', ',"financial_status":"refunded"'), `${gid} true`);
  assert.equal(shopify('orders/updated', ',"financial_status":"partially_refunded"'), 'ignore');
  assert.equal(shopify('orders/paid', ',"test":true'), 'ignore');
  assert.equal(shopify('carts/update'), 'ignore');
  assert.equal(shopify('customers/redact', ',"customer":{"email":"a@b.ca"}'), 'erase');
  const woo = (status: string) =>
    means('woocommerce', `{"id":7,"status":"${status}","total":"12.00","currency":"EUR"}`, {
      'x-wc-webhook-topic': 'order.updated',
      'x-wc-webhook-source': 'https://shop.example/',
    });
  assert.deepEqual(['completed', 'refunded', 'pending'].map(woo), [
    'woocommerce:shop.example:7 12.00 EUR false',
    'woocommerce:shop.example:7 12.00 EUR true',
    'ignore',
  ]);
  const stripe = (type: string, object: string, live = true) =>
    means('stripe', `{"id":"evt_1","type":"${type}","livemode":${live},"data":{"object":${object}}}`);
  const paid = '{"payment_intent":"pi_1","amount_total":1990,"currency":"cad","payment_status":"paid"}';
  assert.equal(stripe('checkout.session.completed', paid), 'stripe:pi_1 19.90 CAD false');
  assert.equal(stripe('checkout.session.completed', paid, false), 'ignore', 'no test counts');
  assert.equal(stripe('checkout.session.completed', paid.replace('"paid"', '"unpaid"')), 'ignore');
  assert.equal(
    stripe('charge.refunded', '{"payment_intent":"pi_1","amount":500,"currency":"jpy","refunded":true}'),
    'stripe:pi_1 500 JPY true',
  );
  const topics: Mapping = { topics: { sold: 'purchase', back: 'void' }, fields: { id: 'order.no' } };
  const generic = (type: string) =>
    means('generic', `{"type":"${type}","order":{"no":5},"data":{"amount":3,"currency":"CAD"}}`, {}, topics);
  assert.deepEqual(['sold', 'back', 'else', '__proto__'].map(generic), [
    '5 3 CAD false',
    '5 3 CAD true',
    'ignore',
    'ignore',
  ]);
});

const sites = () => `${server.url}/v1/sites/default/integrations`;
async function shop(secret = 'hush') {
  const { body, status } = await call(sites(), 'POST', { kind: 'shopify', secret }, admin);
  assert.equal(status, 201, JSON.stringify(body));
  return body.integration.integrationId as string;
}
async function tell(
  id: string,
  topic: string,
  body: object,
  { secret = 'hush', event = randomUUID() as string } = {},
) {
  const text = JSON.stringify(body);
  const headers = {
    'x-shopify-topic': topic,
    'x-shopify-webhook-id': event,
    'x-shopify-hmac-sha256': hmac(secret, text, 'base64'),
  };
  const answer = await call(`${server.url}/v1/in/${id}`, 'POST', text, headers);
  return answer.status === 200 ? answer.body.received : answer.body.error;
}
const stored = async () =>
  (
    await server.database.owner.query(
      "select conversion_id, lead_id is not null as of_lead, voided_at is not null as void from conversions where conversion_id like 'shopify:%' order by 1",
    )
  ).rows;

test('an order that is told three times counts once, for its lead; its refund takes it back; a stranger tells nothing', async () => {
  const id = await shop();
  const email = address();
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), path: '/shop' });
  const order = {
    admin_graphql_api_id: 'gid://shopify/Order/1',
    email,
    total_price: '9.90',
    currency: 'CAD',
  };
  const event = randomUUID();
  const told = await Promise.all([1, 2, 3].map(() => tell(id, 'orders/paid', order, { event })));
  assert.deepEqual(told.sort(), ['duplicate', 'duplicate', 'stored']);
  assert.equal(await tell(id, 'orders/paid', order), 'stored', 'another delivery of the same order');
  assert.deepEqual(await stored(), [
    { conversion_id: 'shopify:gid://shopify/Order/1', of_lead: true, void: false },
  ]);
  assert.equal(await tell(id, 'orders/cancelled', order, { secret: 'guess' }), 'invalid_signature');
  assert.equal((await stored())[0].void, false);
  assert.equal(await tell(id, 'orders/cancelled', order), 'stored');
  assert.equal((await stored())[0].void, true);
  const { body } = await call(sites(), 'GET', undefined, admin);
  const [one] = body.integrations;
  assert.deepEqual([one.refused, one.refusedAt !== null, one.receivedAt !== null], [1, true, true]);
  assert.equal(JSON.stringify(body).includes('hush'), false, 'no secret is shown');
  assert.equal(await tell(randomUUID(), 'orders/paid', order), 'not_found');
});

test('products and country of an order are read as each sender writes them, five at most and each once', () => {
  const bought = (kind: Kind, body: object, headers = {}, mapping: Mapping = {}) => {
    const { does } = meaningOf(kind, {
      headers,
      body: parseExactly(JSON.stringify(body)),
      mapping,
      now: NOW,
    });
    assert.equal(does.what, 'conversion');
    return does.what === 'conversion' ? [does.products, does.country] : [];
  };
  const paid = { 'x-shopify-topic': 'orders/paid' };
  const titles = ['rye', 'rye', ' oat\u0000s ', '', 'a', 'b', 'c', 'd'].map((title) => ({ title }));
  assert.deepEqual(
    bought('shopify', { id: 1, line_items: titles, shipping_address: { country_code: 'ca' } }, paid),
    [['rye', 'oats', 'a', 'b', 'c'], 'CA'],
  );
  assert.deepEqual(
    bought('shopify', { id: 1, line_items: [{ title: 'x'.repeat(300) }], billing_address: null }, paid),
    [['x'.repeat(200)], undefined],
  );
  assert.deepEqual(bought('shopify', { id: 1, line_items: 'none' }, paid), [undefined, undefined]);
  const woo = {
    id: 7,
    status: 'completed',
    line_items: [{ name: 'rye' }],
    shipping: { country: '' },
    billing: { country: 'FR' },
  };
  assert.deepEqual(bought('woocommerce', woo, { 'x-wc-webhook-topic': 'order.updated' }), [['rye'], 'FR']);
  const invoice = {
    id: 'in_1',
    currency: 'cad',
    amount_paid: 1990,
    lines: { data: [{ description: 'One loaf a week' }] },
    customer_address: { country: 'CA' },
  };
  assert.deepEqual(bought('stripe', { id: 'evt_1', type: 'invoice.paid', data: { object: invoice } }), [
    ['One loaf a week'],
    'CA',
  ]);
  const topics: Mapping = { topics: { sold: 'purchase' }, fields: { products: 'order.what' } };
  const sold = {
    type: 'sold',
    data: { id: 1, country: 'Canada' },
    order: { what: ['rye', { name: 'oats' }, 3] },
  };
  assert.deepEqual(bought('generic', sold, {}, topics), [['rye', 'oats', '3'], undefined]);
});

test('a request of a shop to forget a customer erases them here', async () => {
  const id = await shop();
  const email = address();
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), path: '/shop' });
  const { owner } = server.database;
  const leads = async () => (await owner.query('select from leads where email = $1', [email])).rowCount;
  assert.equal(await leads(), 1);
  assert.equal(await tell(id, 'customers/redact', { customer: { email } }), 'stored');
  assert.equal(await leads(), 0);
});

test('a request to forget that is sent again erases nobody who came back since', async () => {
  const id = await shop();
  const email = address();
  const event = randomUUID();
  const redact = () => tell(id, 'customers/redact', { customer: { email } }, { event });
  const come = () => call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), path: '/shop' });
  await come();
  assert.equal(await redact(), 'stored');
  await pause(5); // what comes in the millisecond of an erasure is of before
  await come();
  assert.equal(await redact(), 'duplicate');
  const { rowCount } = await server.database.owner.query('select from leads where email = $1', [email]);
  assert.equal(rowCount, 1);
});

test('a first payment of a subscription counts once, by its invoice; a trial’s invoice of nothing is none', () => {
  const means = (type: string, object: object) => {
    const { does } = meaningOf('stripe', {
      headers: {},
      body: { id: 'evt_1', type, livemode: true, data: { object } },
      mapping: {},
      now: NOW,
    });
    return does.what === 'conversion' ? `${does.id} ${does.amount}` : does.what;
  };
  const money = { currency: 'cad', payment_status: 'paid' };
  const session = { ...money, id: 'cs_1', mode: 'subscription', payment_intent: null, amount_total: 900 };
  assert.deepEqual(
    [
      means('checkout.session.completed', { ...session, invoice: 'in_1' }),
      means('invoice.paid', { id: 'in_1', payment_intent: 'pi_1', amount_paid: 900, currency: 'cad' }),
      means('checkout.session.completed', {
        ...session,
        invoice: null,
        mode: 'payment',
        payment_intent: 'pi_2',
      }),
      means('invoice.paid', { id: 'in_0', payment_intent: null, amount_paid: 0, currency: 'cad' }),
    ],
    ['ignore', 'stripe:pi_1 9.00', 'stripe:pi_2 9.00', 'ignore'],
  );
});

test('a refund that names a payment takes back the invoice that was paid by it', async () => {
  const made = await call(sites(), 'POST', { kind: 'stripe', secret: 'whsec_refunds' }, admin);
  const at = `${server.url}/v1/in/${made.body.integration.integrationId}`;
  const say = async (type: string, object: object) => {
    const text = JSON.stringify({ id: `evt_${randomUUID()}`, type, livemode: true, data: { object } });
    const t = Math.floor(Date.now() / 1000);
    const v1 = hmac('whsec_refunds', `${t}.${text}`, 'hex');
    return (await call(at, 'POST', text, { 'stripe-signature': `t=${t},v1=${v1}` })).body.received;
  };
  const [invoice, payment] = [`in_${randomUUID()}`, `pi_${randomUUID()}`];
  const refund = { payment_intent: payment, amount: 900, currency: 'cad', refunded: true };
  assert.equal(
    await say('invoice_payment.paid', {
      invoice,
      payment: { type: 'payment_intent', payment_intent: payment },
    }),
    'stored',
  );
  assert.equal(await say('invoice.paid', { id: invoice, amount_paid: 900, currency: 'cad' }), 'stored');
  assert.equal(await say('charge.refunded', refund), 'stored');
  const { rows } = await server.database.owner.query(
    'select conversion_id as id, voided_at is not null as void from conversions where conversion_id = any ($1)',
    [[`stripe:${invoice}`, `stripe:${payment}`]],
  );
  assert.deepEqual(rows, [{ id: `stripe:${invoice}`, void: true }]);
});

test('a new secret may end the one before at once', async () => {
  const id = await shop('leaked');
  const change = (version: number, body: object) =>
    call(`${sites()}/${id}`, 'PATCH', body, { ...admin, 'if-match': `"${version}"` });
  assert.equal((await change(1, { secret: 'second' })).status, 200);
  assert.equal((await change(2, { secret: 'third', overlapHours: 0 })).status, 200);
  for (const secret of ['leaked', 'second'])
    assert.equal(await tell(id, 'shop/update', {}, { secret }), 'invalid_signature');
  assert.equal(await tell(id, 'shop/update', {}, { secret: 'third' }), 'ignored');
  assert.equal((await change(3, { secret: 'fourth', overlapHours: 73 })).status, 400);
});

test('a new secret is taken at once, the one before for 72 hours more', async () => {
  const id = await shop('older');
  const { status } = await call(
    `${sites()}/${id}`,
    'PATCH',
    { secret: 'newer' },
    { ...admin, 'if-match': '"1"' },
  );
  assert.equal(status, 200);
  for (const secret of ['older', 'newer'])
    assert.equal(await tell(id, 'shop/update', {}, { secret }), 'ignored');
  await server.database.owner.query("update integration_secrets set ends_at = ends_at - interval '72 hours'");
  assert.equal(await tell(id, 'shop/update', {}, { secret: 'older' }), 'invalid_signature');
  assert.equal(await tell(id, 'shop/update', {}, { secret: 'newer' }), 'ignored');
});

test('an integration is ended by whoever names the version they saw', async () => {
  const id = await shop('ending');
  const end = (headers: object) =>
    call(`${sites()}/${id}`, 'DELETE', undefined, { ...admin, ...headers } as Record<string, string>);
  for (const headers of [{}, { 'if-match': '"2"' }]) {
    const { status, body } = await end(headers);
    assert.deepEqual([status, body.error], [412, 'precondition_failed']);
  }
  assert.equal(await tell(id, 'shop/update', {}, { secret: 'ending' }), 'ignored', 'it goes on');
  assert.equal((await end({ 'if-match': '"1"' })).status, 200);
  assert.equal((await end({ 'if-match': '"1"' })).status, 404);
});

test('WooCommerce is answered when it asks, unsigned, whether anybody is there', async () => {
  const made = await call(sites(), 'POST', { kind: 'woocommerce', secret: 'hush' }, admin);
  const at = `${server.url}/v1/in/${made.body.integration.integrationId}`;
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.deepEqual((await call(at, 'POST', 'webhook_id=12', form)).body, { ok: true, received: 'ignored' });
  assert.equal((await call(at, 'POST', 'webhook_id=12&id=1', form)).status, 401);
});

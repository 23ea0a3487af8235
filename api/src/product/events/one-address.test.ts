// Whoever hides the visitors' addresses is noticed: with one address or one of each kind, by visits or by forms alone.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES } from '../../features.ts';
import { ownGateways } from '../../ground/http/gateway.ts';
import { alarmsIn } from '../../operations/alerts/rules.ts';

const READINGS = FEATURES.flatMap((feature) => feature.readings ?? []);
let server: TestServer;
before(async () => {
  server = await startServer({ TRUSTED_PROXIES: '127.0.0.1' });
});
after(() => server.end());
beforeEach(() => server.database.owner.query('truncate visitors, consent_details'));

const browser = (n: number) =>
  `Mozilla/5.0 (X11; Linux x86_64; rv:${100 + (n % 6)}.0) Gecko/20100101 Firefox/${100 + (n % 6)}.0`;
async function come(n: number, from: (n: number) => string, by: 'visit' | 'form' = 'visit'): Promise<void> {
  const sent = Array.from({ length: n }, (_, at) => {
    const headers = { 'x-real-ip': from(at), 'user-agent': browser(at) };
    const form = {
      email: `${randomUUID()}@example.com`,
      path: '/',
      formName: 'newsletter',
      consentStatus: 'express',
      consent: { text: 'Send me the weekly bake.', language: 'en' },
    };
    return by === 'visit'
      ? call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId: randomUUID() }), headers)
      : call(`${server.url}/v1/leads/capture`, 'POST', form, headers);
  });
  for (const { status, body } of await Promise.all(sent)) assert.ok(status < 300, JSON.stringify(body));
}
async function rings(): Promise<boolean> {
  const { body } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  return alarmsIn({ visitors: body.visitors }, READINGS).some(({ id }) => id === 'one_address');
}

const V4 = '203.0.113.7';
const V6 = '2001:db8::7';

test('visitors who have addresses of their own ring nothing', async () => {
  await come(60, (n) => `198.51.100.${n}`);
  assert.equal(await rings(), false);
});

test('all from one address, or from one of each kind, rings; a stray one more does not hide that', async () => {
  await come(60, () => V6);
  assert.equal(await rings(), true);
  await come(60, () => V4);
  await come(4, (n) => `198.51.100.${n}`);
  assert.equal(await rings(), true);
});

test('so it does when they only send forms', async () => {
  await come(60, (n) => (n % 2 ? V4 : V6), 'form');
  await server.database.owner.query('truncate visitors');
  assert.equal(await rings(), true);
});

test('those who seem to be this machine’s own gateway ring, however many others are who they are', async (t) => {
  const [gateway] = ownGateways();
  if (!gateway) return t.skip('there is no way out of here, and so no gateway');
  await come(80, (n) => `198.51.100.${n}`);
  await come(12, () => gateway);
  assert.equal(await rings(), false);
  await come(12, () => gateway, 'form');
  assert.equal(await rings(), true);
});

// Implied consent is Canada's: a site whose people live elsewhere takes none, and says nothing it cannot prove.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makeLog } from '../../ground/lib/log.ts';

let server: TestServer;
let logged = '';
before(async () => {
  const log = makeLog('warn', {
    write: (line: string) => {
      logged += line;
    },
  });
  server = await startServer({}, undefined, log);
  await send('POST', '/v1/sites', { key: 'europe', name: 'Europe', settings: { impliedConsent: false } });
});
after(() => server.end());

async function send(method: string, path: string, body?: unknown) {
  const answer = await call(server.url + path, method, body, admin);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
const statusOf = async (email: string) =>
  (await send('GET', `/v1/leads/${await leadIdOf(server, email)}`)).lead.consentStatus;
const mailable = async (propertyId: string): Promise<string[]> =>
  (await send('GET', `/v1/leads?propertyId=${propertyId}&mailable=true`)).leads.map(
    ({ email }: { email: string }) => email,
  );

const WAYS: Record<string, (email: string, propertyId: string) => Promise<unknown>> = {
  'an inquiry': (email, propertyId) =>
    send('POST', '/v1/leads/capture', { email, propertyId, consentStatus: 'implied' }),
  'a purchase': async (email, propertyId) => {
    await send('POST', '/v1/leads/capture', { email, propertyId });
    await send('POST', '/v1/conversions', {
      id: email,
      kind: 'purchase',
      email,
      propertyId,
      amount: '7.00',
      currency: 'EUR',
    });
  },
  'an import': (email, propertyId) =>
    send('POST', '/v1/leads/import', {
      propertyId,
      csv: `email,consentStatus,consentAt,evidence\n${email},implied,${new Date(Date.now() - 86_400_000).toISOString()},till 4`,
    }),
};
for (const [what, act] of Object.entries(WAYS))
  test(`${what} implies consent where Canada's law is meant, and nothing where it is not`, async () => {
    const [here, there] = [address(), address()];
    await act(here, 'default');
    await act(there, 'europe');
    assert.deepEqual([await statusOf(here), await statusOf(there)], ['implied', 'pending']);
    assert.ok((await mailable('default')).includes(here));
    assert.ok(!(await mailable('europe')).includes(there));
  });

test('express consent is what it was; what was implied before the setting is not mailed any more', async () => {
  const [express, implied] = [address(), address()];
  const { site } = await send('POST', '/v1/sites', { key: 'later', name: 'Later' });
  await send('POST', '/v1/leads/capture', {
    email: express,
    propertyId: 'later',
    consentStatus: 'express',
    consent: { text: 'Write to me.' },
  });
  await send('POST', '/v1/leads/capture', { email: implied, propertyId: 'later', consentStatus: 'implied' });
  assert.deepEqual((await mailable('later')).sort(), [express, implied].sort());
  await send('PATCH', `/v1/sites/${site.siteId}`, { settings: { impliedConsent: false } });
  assert.deepEqual(await mailable('later'), [express]);
});

test('the start warns of sites whose visitors have nobody to ask', () => {
  assert.match(logged, /NOBODY TO ASK about their data is named to visitors of 1 sites/);
});

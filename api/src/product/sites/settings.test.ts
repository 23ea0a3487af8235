// A site's settings: checked when they are set, not when a mail that nobody can send is waited for.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

const MAIL = {
  SMTP_URL: 'smtp://127.0.0.1:1',
  MAIL_FROM: 'bread@bakery.example',
  PUBLIC_URL: 'https://api.bakery.example',
};
const SENDER = { senderName: 'The Bakery', senderAddress: '1 Oven Lane, Toronto ON M5V 2T6' };

let withMail: TestServer;
let without: TestServer;
before(async () => {
  [withMail, without] = await Promise.all([startServer(MAIL), startServer()]);
});
after(async () => {
  await withMail.end();
  await without.end();
});

let keys = 0;
async function make(server: TestServer, body: Record<string, unknown> = {}) {
  keys += 1;
  return call(`${server.url}/v1/sites`, 'POST', { key: `site-${keys}`, ...body }, admin);
}
const patch = (server: TestServer, siteId: string, body: Record<string, unknown>) =>
  call(`${server.url}/v1/sites/${siteId}`, 'PATCH', body, admin);
const paths = (answer: { body: { issues?: { path: string }[] } }) =>
  (answer.body.issues ?? []).map(({ path }) => path);

test('a setting that cannot be is refused with its path; those that are not ours are kept', async () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ doubleOptIn: 'yes' }, 'settings.doubleOptIn'],
    [{ doubleOptin: true }, 'settings.doubleOptin'],
    [{ double_opt_in: true }, 'settings.double_opt_in'],
    [{ linkingRequiresConsent: true }, 'settings.linkingRequiresConsent'],
    [{ linking: 'always' }, 'settings.linking'],
    [{ senderName: '' }, 'settings.senderName'],
    [{ senderName: 'Bakery\r\nBcc: eve@example.com' }, 'settings.senderName'],
    [{ senderAddress: 5 }, 'settings.senderAddress'],
    [{ senderAddress: 'x'.repeat(301) }, 'settings.senderAddress'],
    [{ policyUrl: 'javascript:alert(1)' }, 'settings.policyUrl'],
    [{ policyVersion: {} }, 'settings.policyVersion'],
  ];
  const { body } = await make(withMail);
  for (const [settings, path] of wrong)
    for (const answer of [
      await make(withMail, { settings }),
      await patch(withMail, body.site.siteId, { settings }),
    ]) {
      assert.equal(answer.status, 400, JSON.stringify(settings));
      assert.equal(answer.body.error, 'invalid_request');
      assert.deepEqual(paths(answer), [path]);
    }
  const kept = await make(withMail, { settings: { team: { lead: 'x' }, policyVersion: '3' } });
  assert.deepEqual(kept.body.site.settings, { team: { lead: 'x' }, policyVersion: '3' });
});

test('double opt-in is switched on only where a mail can be sent that says who writes', async () => {
  const blind = await make(without, { name: 'Bakery', settings: { doubleOptIn: true, ...SENDER } });
  assert.equal(blind.status, 400);
  assert.deepEqual(paths(blind), ['settings.doubleOptIn']);
  for (const name of Object.keys(MAIL)) assert.ok(blind.body.message.includes(name), name);

  const nameless = await make(withMail, { settings: { doubleOptIn: true } });
  assert.deepEqual(paths(nameless), ['settings.senderName', 'settings.senderAddress']);
  assert.ok(!withMail.services.sites.list().some(({ settings }) => settings.doubleOptIn), 'nothing was made');

  const { body } = await make(withMail, { settings: { doubleOptIn: true, ...SENDER } });
  const { siteId } = body.site;
  const gone = await patch(withMail, siteId, { settings: { senderAddress: null } });
  assert.deepEqual(paths(gone), ['settings.senderAddress']);
  const { body: now } = await call(`${withMail.url}/v1/sites/${siteId}`, 'GET', undefined, admin);
  assert.deepEqual(now.site.settings, { doubleOptIn: true, ...SENDER });
  const off = await patch(withMail, siteId, { settings: { doubleOptIn: null, senderAddress: null } });
  assert.deepEqual(off.body.site.settings, { senderName: SENDER.senderName });
  const on = await patch(withMail, siteId, { settings: { doubleOptIn: true, senderAddress: '1 Oven Lane' } });
  assert.equal(on.status, 200);
});

test('a site whose mail server went away can still be renamed and switched off', async () => {
  const { body } = await make(without, { settings: SENDER });
  const { siteId } = body.site;
  await without.database.owner.query(
    `update sites set settings = settings || '{"doubleOptIn": true}' where site_id = $1`,
    [siteId],
  );
  assert.equal((await patch(without, siteId, { name: 'Renamed' })).status, 200);
  assert.equal((await patch(without, siteId, { settings: { doubleOptIn: false } })).status, 200);
  assert.equal((await patch(without, siteId, { settings: { doubleOptIn: true } })).status, 400);
});

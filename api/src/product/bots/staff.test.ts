// A site's own people: addresses its owner lists, and whoever opened the site's link; in no number, and back again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { isNetwork } from '../sites/staff.ts';

let server: TestServer;
before(async () => {
  // every test calls from 127.0.0.1, which may say for whom
  server = await startServer({ TRUSTED_PROXIES: '127.0.0.1', PUBLIC_URL: 'https://stats.example' });
});
after(() => server.end());

let made = 0;
async function makeSite(settings: object = {}): Promise<{ key: string; siteId: string }> {
  made += 1;
  const key = `staff-${made}`;
  const { body } = await call(`${server.url}/v1/sites`, 'POST', { key, name: 'Bakery', settings }, admin);
  return { key, siteId: body.site.siteId };
}
const from = (ip: string, agent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0') => ({
  'x-real-ip': ip,
  'user-agent': agent,
});
const visit = (key: string, ip: string, fields: object = {}) =>
  call(
    `${server.url}/v1/events`,
    'POST',
    makeEvent({ anonId: undefined, propertyId: key, ...fields }),
    from(ip),
  );
const reasons = async (siteId: string): Promise<(string | null)[]> =>
  (
    await server.database.owner.query(
      'select bot_reason from events where site_id = $1 order by received_at, event_id',
      [siteId],
    )
  ).rows.map((row) => row.bot_reason);
const press = (url: string, apart: 'yes' | 'no', ip: string) =>
  call(url.replace('https://stats.example', server.url), 'POST', `apart=${apart}`, {
    ...from(ip),
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'text/html',
  });

test('visits from the listed addresses are kept apart, also from a range, by a pixel and by a form', async () => {
  const { key, siteId } = await makeSite({
    staffAddresses: ['203.0.113.7', '198.51.100.0/24', '2001:db8::/48'],
  });
  for (const ip of ['203.0.113.7', '198.51.100.200', '2001:db8:0:9::1']) await visit(key, ip);
  await visit(key, '203.0.113.7', { anonId: anon() });
  await fetch(`${server.url}/v1/pixel.gif?propertyId=${key}&path=/x`, { headers: from('203.0.113.7') });
  await call(
    `${server.url}/v1/leads/capture`,
    'POST',
    { email: address(), propertyId: key },
    from('203.0.113.7'),
  );
  const staff = await reasons(siteId);
  assert.deepEqual(new Set(staff), new Set(['staff']));
  assert.equal(staff.length, 6);
  for (const ip of ['203.0.113.8', '198.51.101.1', '2001:db9::1']) await visit(key, ip);
  assert.equal((await reasons(siteId)).filter((reason) => reason === null).length, 3);
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const day = new Date().toISOString().slice(0, 10);
  const { body } = await call(
    `${server.url}/v1/metrics/summary?from=${day}&to=${day}&propertyId=${key}`,
    'GET',
    undefined,
    admin,
  );
  assert.equal(body.metrics.uniqueVisitors.value, 3);
  assert.deepEqual([body.quality.staffEvents, body.quality.botEvents], [6, 0]);
});

test('a list of addresses is refused with what is wrong about it', async () => {
  const { siteId } = await makeSite();
  for (const wrong of [
    'bakery.example',
    '203.0.113.7/33',
    '203.0.113',
    '::1/129',
    '1.2.3.4/8/8',
    '',
    ' /24',
  ]) {
    const { status, body } = await call(
      `${server.url}/v1/sites/${siteId}`,
      'PATCH',
      { settings: { staffAddresses: [wrong] } },
      admin,
    );
    assert.deepEqual([status, body.issues?.[0].path], [400, 'settings.staffAddresses.0'], wrong);
    assert.equal(isNetwork(wrong), false);
  }
});

test('who opens the link and presses the button is kept apart, with what they did today, and can take it back', async () => {
  const { key, siteId } = await makeSite();
  const { body } = await call(`${server.url}/v1/sites/${siteId}/staff-link`, 'POST', undefined, admin);
  assert.match(body.url, /^https:\/\/stats\.example\/v1\/staff\/[\w-]{22}$/);
  await visit(key, '192.0.2.1');
  await visit(key, '192.0.2.1', { anonId: anon() });
  await visit(key, '192.0.2.2');
  const looked = await fetch(body.url.replace('https://stats.example', server.url), {
    headers: from('192.0.2.1'),
  });
  assert.match(await looked.text(), /Keep my visits apart/);
  assert.deepEqual(await reasons(siteId), [null, null, null], 'looking changes nothing');

  const pressed = await press(body.url, 'yes', '192.0.2.1');
  assert.match(pressed.body, /are kept apart/);
  await visit(key, '192.0.2.1');
  await visit(key, '192.0.2.2');
  assert.deepEqual(await reasons(siteId), ['staff', 'staff', null, 'staff', null]);

  assert.match((await press(body.url, 'no', '192.0.2.1')).body, /Your visits count/);
  await visit(key, '192.0.2.1');
  assert.deepEqual(await reasons(siteId), [null, null, null, null, null, null]);
});

test('a link that was ended or replaced marks nobody, and its marks go with it', async () => {
  const { key, siteId } = await makeSite();
  const link = `${server.url}/v1/sites/${siteId}/staff-link`;
  const first = (await call(link, 'POST', undefined, admin)).body.url;
  await press(first, 'yes', '192.0.2.9');
  const second = await call(link, 'POST', undefined, admin);
  assert.equal(second.body.marks.length, 1);
  assert.equal((await press(first, 'no', '192.0.2.9')).status, 404);
  await visit(key, '192.0.2.9');
  assert.deepEqual((await call(link, 'DELETE', undefined, admin)).body, { ok: true, url: null, marks: [] });
  assert.equal((await press(second.body.url, 'yes', '192.0.2.9')).status, 404);
  await visit(key, '192.0.2.9', { path: '/after' });
  assert.deepEqual(await reasons(siteId), ['staff', null]);
  const { rows } = await server.database.owner.query('select settings::text from sites where site_id = $1', [
    siteId,
  ]);
  assert.doesNotMatch(rows[0].settings, /192\.0\.2/);
});

test('a verdict about somebody who has not been here yet holds from their first visit on', async () => {
  const { key, siteId } = await makeSite();
  const anonId = anon();
  await call(
    `${server.url}/v1/admin/bots`,
    'POST',
    { anonId, bot: true, kind: 'staff', propertyId: key },
    admin,
  );
  await visit(key, '192.0.2.30', { anonId });
  assert.deepEqual(await reasons(siteId), ['staff']);
});

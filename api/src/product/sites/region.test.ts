// Where data has to be: a site is made where it belongs, is not served where it does not, and copies say where they are.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { makeDatabase } from '../../../test/database.ts';
import { address, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { readConfig } from '../../config.ts';
import { backupSettings } from '../../operations/backups/settings.ts';

let server: TestServer;
before(async () => {
  server = await startServer({ DATA_REGION: 'ca-central' });
});
after(() => server.end());

const ask = (at: string, body?: unknown, to = server) => {
  const [method, path] = at.split(' ') as [string, string];
  return call(to.url + path, method, body, admin);
};

test('a site has the region of the installation, and is refused with another', async () => {
  assert.equal((await ask('GET /v1/sites')).body.sites[0].dataRegion, 'ca-central');
  assert.equal((await ask('POST /v1/sites', { key: 'bakery' })).body.site.dataRegion, 'ca-central');
  assert.equal((await ask('POST /v1/sites', { key: 'mill', dataRegion: 'ca-central' })).status, 201);
  const refused = await ask('POST /v1/sites', { key: 'oven', dataRegion: 'eu-west' });
  assert.deepEqual(
    [refused.status, refused.body.error, refused.body.issues[0].path],
    [409, 'region_mismatch', 'dataRegion'],
  );
  assert.equal((await ask('PATCH /v1/sites/mill', { dataRegion: 'eu-west' })).body.error, 'region_mismatch');
});

test('where nobody said where the installation is, a site asks for no region', async () => {
  const anywhere = await startServer();
  assert.equal((await ask('POST /v1/sites', { key: 'mill' }, anywhere)).body.site.dataRegion, null);
  const refused = await ask('POST /v1/sites', { key: 'oven', dataRegion: 'eu-west' }, anywhere);
  assert.deepEqual([refused.status, refused.body.error], [409, 'region_mismatch']);
  await anywhere.end();
});

test('after a move nothing is taken for a site, until its owner allows it; who wants to leave may', async () => {
  const database = await makeDatabase();
  const email = address();
  const before = await startServer({ DATA_REGION: 'ca-central' }, database);
  await ask('POST /v1/leads/capture', { email }, before);
  const made = await ask('POST /v1/sites/default/integrations', { kind: 'shopify', secret: 'hush' }, before);
  const shop = made.body.integration.integrationId;
  await before.stop();

  const moved = await startServer({ DATA_REGION: 'eu-west' }, database);
  const event = await ask('POST /v1/events', makeEvent(), moved);
  assert.deepEqual([event.status, event.body.error], [503, 'unavailable']);
  assert.ok(Number(event.headers.get('retry-after')) > 0);
  assert.equal((await ask('POST /v1/events', { events: [makeEvent(), makeEvent()] }, moved)).status, 503);
  assert.equal((await ask('GET /v1/pixel.gif?path=/', undefined, moved)).status, 503);
  assert.equal((await ask('POST /v1/leads/capture', { email: address() }, moved)).status, 503);
  const order = { id: 'order-1', kind: 'purchase', email: address() };
  assert.equal((await ask('POST /v1/conversions', order, moved)).status, 503);
  const chosen = (mode: string) =>
    ask('POST /v1/choices', { choiceId: `choice-${mode}`, mode, words: 'May we?', language: 'en' }, moved);
  assert.deepEqual([(await chosen('measure')).status, (await chosen('off')).status], [503, 200]);
  const told = await fetch(`${moved.url}/v1/in/${shop}`, {
    method: 'POST',
    headers: {
      'x-shopify-topic': 'orders/paid',
      'x-shopify-hmac-sha256': createHmac('sha256', 'hush').update('{"id":1}').digest('base64'),
    },
    body: '{"id":1}',
  });
  assert.equal(told.status, 503);
  const { rows } = await database.owner.query('select count(*)::int as leads from leads');
  assert.equal(rows[0].leads, 1);
  assert.equal((await ask('POST /v1/leads/unsubscribe', { email }, moved)).status, 200);
  const { region } = (await moved.services.status()) as unknown as Record<string, object>;
  assert.deepEqual(region, { here: 'eu-west', elsewhere: 1, copies: [] });

  const allowed = await ask('PATCH /v1/sites/default', { dataRegion: 'eu-west' }, moved);
  assert.equal(allowed.body.site.dataRegion, 'eu-west');
  assert.equal((await ask('POST /v1/events', makeEvent(), moved)).status, 202);
  await moved.end();
});

test('with a region of its own an installation starts only when each place for copies says its', () => {
  const config = (more: Record<string, string>) =>
    readConfig({
      DATABASE_URL: 'postgres://localhost/x',
      IP_HASH_PEPPER: 'a pepper of the tests',
      BACKUP_S3_URL: 'https://s3.example/backups',
      BACKUP_S3_ACCESS_KEY_ID: 'id',
      BACKUP_S3_SECRET_ACCESS_KEY: 'secret',
      ...more,
    });
  assert.throws(() => backupSettings(config({ DATA_REGION: 'ca-central' })), /BACKUP_S3_DATA_REGION/);
  const named = config({ DATA_REGION: 'ca-central', BACKUP_S3_DATA_REGION: 'ca-east' });
  assert.equal(backupSettings(named).offsite.length, 1);
  assert.equal(backupSettings(config({})).offsite.length, 1);
});

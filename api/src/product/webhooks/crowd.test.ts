// Many endpoints and many deliveries: a dead one holds nobody up, a process that is killed loses nothing, and the log ends.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { pause } from '../../../test/kill.ts';
import { makeReceiver, type Receiver, reachLocal } from '../../../test/receiver.ts';
import { ACCOUNT_KEYS, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { trimDeliveries } from './deliver-queries.ts';

let server: TestServer;
let receiver: Receiver;
let siteId: string;
before(async () => {
  server = await startServer({}, undefined, undefined, { reach: reachLocal });
  receiver = await makeReceiver();
  siteId = server.services.sites.fallback().siteId;
});
after(async () => {
  receiver.close();
  await server.end();
});
beforeEach(async () => {
  await server.database.owner.query('delete from webhooks');
  receiver.received = [];
});

async function endpoint(path: string): Promise<string> {
  const url = `${receiver.url}/${path}`;
  const body = { url, types: ['lead.captured'] };
  const made = await call(`${server.url}/v1/sites/${siteId}/webhooks`, 'POST', body, admin);
  return made.body.webhook.webhookId;
}
const happen = (count: number) =>
  inSites(server.database.app, siteId, (tx) =>
    tx.query(
      "select tell_others($1, 'lead.captured', jsonb_build_object('n', n), null) from generate_series(1, $2) n",
      [siteId, count],
    ),
  );
const states = async (webhookId: string) =>
  (
    await server.database.owner.query(
      'select state, count(*)::int as count from deliveries where webhook_id = $1 group by 1 order by 1',
      [webhookId],
    )
  ).rows;

test('an endpoint that never answers rests, and the others are told everything meanwhile', async () => {
  const dead = await endpoint('dead');
  const { owner } = server.database;
  await owner.query("update webhooks set url = 'http://127.0.0.1:9/' where webhook_id = $1", [dead]);
  const good = await Promise.all([1, 2, 3].map((n) => endpoint(`good-${n}`)));
  await happen(25);
  await server.services.deliverer.deliver();
  for (const id of good) assert.deepEqual(await states(id), [{ state: 'delivered', count: 25 }]);
  const { rows } = await owner.query(
    'select sum(tries)::int as tries from deliveries where webhook_id = $1',
    [dead],
  );
  assert.equal(rows[0].tries, 1, 'one try, then a rest');
});

test('endpoints that hang keep no others waiting: two of them at once are tried at most', async () => {
  const { owner } = server.database;
  receiver.answers = ({ path }) => (path.includes('hangs') ? 'hang' : { status: 204 });
  for (let n = 0; n < 6; n += 1) await endpoint(`hangs-${n}`);
  await owner.query('update webhooks set failures = 1'); // they hung before
  const good = await Promise.all([1, 2, 3].map((n) => endpoint(`good-${n}`)));
  await happen(25);
  const delivering = server.services.deliverer.deliver();
  const hanging = () => receiver.received.filter(({ path }) => path.includes('hangs')).length;
  try {
    while (receiver.received.length - hanging() < 75) await pause(5);
    assert.equal(hanging(), 2);
    // and what happens while they hang is told at once
    await happen(1);
    void server.services.deliverer.deliver();
    while (receiver.received.length - hanging() < 78) await pause(5);
    assert.equal(hanging(), 2);
  } finally {
    receiver.answers = () => ({ status: 204 });
    await owner.query("delete from webhooks where url like '%hangs%'");
    receiver.hangUp();
    await delivering;
  }
  for (const id of good) assert.deepEqual(await states(id), [{ state: 'delivered', count: 26 }]);
});

test('a process that is killed amid deliveries loses none of them', async () => {
  const id = await endpoint('kill');
  const { owner, appUrl } = server.database;
  await server.services.deliverer.close(); // others deliver
  await happen(90);
  const here = new URL('../../../test/deliver-process.ts', import.meta.url);
  for (let kills = 0; ; kills += 1) {
    const child = fork(here, [appUrl, siteId], { env: { ...process.env, ACCOUNT_KEYS } });
    const ended = new Promise((done) => child.once('exit', done));
    const soFar = receiver.received.length;
    if (kills < 3) {
      while (receiver.received.length < soFar + 20) await pause(2);
      child.kill('SIGKILL');
    }
    await ended;
    if (kills === 3) break;
    // as if the twenty seconds had passed for which it had the endpoint in hand
    await owner.query("update webhooks set leased_until = '-infinity'");
  }
  assert.deepEqual(await states(id), [{ state: 'delivered', count: 90 }]);
  const times = new Map<string, number>();
  for (const { headers } of receiver.received)
    times.set(String(headers['webhook-id']), (times.get(String(headers['webhook-id'])) ?? 0) + 1);
  assert.equal(times.size, 90);
  assert.ok(receiver.received.length <= 93, 'told twice at most once a kill');
});

test('the log of an endpoint is ten thousand long at most, and what never went out is counted', async () => {
  const id = await endpoint('flood');
  const { owner, app } = server.database;
  await owner.query(
    `insert into deliveries (site_id, webhook_id, type, data, happened_at, state)
     select $1, $2, 'lead.captured', '{}', now(), case when n <= 4000 then 'delivered' else 'pending' end from generate_series(1, 15000) n`,
    [siteId, id],
  );
  const done = await inSites(app, siteId, trimDeliveries);
  assert.deepEqual(done, { gone: 5000, dropped: 1000 });
  assert.deepEqual(await states(id), [{ state: 'pending', count: 10_000 }]);
  const { body } = await call(`${server.url}/v1/sites/${siteId}/webhooks/${id}`, 'GET', undefined, admin);
  assert.equal(body.webhook.dropped, 1000);
});

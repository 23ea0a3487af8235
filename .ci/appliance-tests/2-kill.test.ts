// Every container killed under load, and all of them at once: back without a hand, nothing acknowledged lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chance, eventually, figure, SEED, Stack, sleep } from './stack.ts';

const stack = new Stack('kill');
before(async () => {
  figure('seed', SEED);
  // the limits would end the load before the kill does
  await stack.prepare('RATE_LIMITS=off\n');
  await stack.up();
});
after(() => stack.down());

/** A notification that runs, pages that ask for the feed and a page that is told of it, until `stop`. */
async function startShowing(): Promise<() => Promise<void>> {
  const key = { 'x-admin-key': await stack.adminKey() };
  const source = { url: 'https://bakery.example/about', statedOn: '2026-01-31' };
  const content = { kind: 'message', name: 'hello', source, texts: { en: { other: 'We bake at night.' } } };
  const site = '/v1/sites/default';
  const listens = await stack.call('PATCH', site, { settings: { feedStream: true } }, key);
  assert.equal(listens.status, 200, JSON.stringify(listens.body));
  const made = await stack.call('POST', `${site}/notifications`, content, key);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { notificationId } = made.body.notification;
  const runs = { ...key, 'if-match': '"1"' };
  const ran = await stack.call(
    'PATCH',
    `${site}/notifications/${notificationId}`,
    { status: 'running' },
    runs,
  );
  assert.equal(ran.status, 200, JSON.stringify(ran.body));
  const ending = new AbortController();
  const stream = await fetch(`https://localhost:${stack.https}/v1/feed/stream?site=default`, {
    headers: { accept: 'text/event-stream' },
    signal: ending.signal,
  });
  assert.equal(stream.status, 200);
  const asking = (async () => {
    while (!ending.signal.aborted) {
      const { status, body } = await stack.call('GET', '/v1/feed?site=default');
      assert.equal(status, 200);
      assert.equal(body.items.length, 1);
    }
  })();
  asking.catch(() => {}); // it is said at the end
  return async () => {
    ending.abort();
    await asking;
  };
}

test('memory, idle and under load with a notification shown, stays far below the limits', async () => {
  figure('memory idle, MiB', await stack.memory());
  const stopShowing = await startShowing();
  const load = stack.load(16);
  await sleep(15_000);
  const loaded = await stack.memory();
  const acknowledged = await load.stop();
  await stopShowing();
  figure('memory under load, MiB', loaded);
  figure('events acknowledged in 15 s of that load', acknowledged.length);
  assert.ok(loaded.sum! <= 450, JSON.stringify(loaded));
});

async function killUnderLoad(...services: string[]): Promise<void> {
  const load = stack.load(6);
  const acknowledges = (more: number) => {
    const wanted = load.acknowledged.length + more;
    return eventually(
      `${more} more events are acknowledged`,
      120,
      async () => load.acknowledged.length > wanted,
    );
  };
  await acknowledges(Math.floor(50 + chance() * 1000));
  await Promise.all(services.map((service) => stack.killMain(service)));
  const killed = Date.now();
  await sleep(300);
  await eventually('it serves again', 30, async () => (await stack.send()).status === 202);
  figure(`back after a kill of ${services.join(', ')}, s`, (Date.now() - killed) / 1000);
  await acknowledges(50);
  const acknowledged = await load.stop();
  assert.ok(acknowledged.length > 20, `only ${acknowledged.length} events were acknowledged`);
  const stored = new Set(
    (await stack.sql("select event_id from events where occurred_at > now() - interval '1 hour'")).split(
      '\n',
    ),
  );
  assert.deepEqual(
    acknowledged.filter((id) => !stored.has(id)),
    [],
    'acknowledged, and lost',
  );
  const { rows } = { rows: await stack.sql('select count(*) - count(distinct event_id) from events') };
  assert.equal(rows, '0', 'counted twice');
}

for (const services of [['api'], ['postgres'], ['caddy'], ['postgres', 'api', 'caddy']])
  test(`${services.join(', ')} killed under load: back within 30 s, nothing acknowledged lost, nothing twice`, () =>
    killUnderLoad(...services));

test('the ledger balances after all of that', async () => {
  await sleep(2500);
  const key = await stack.adminKey();
  const { body } = await stack.call('GET', '/v1/admin/status', undefined, { 'x-admin-key': key });
  assert.equal(body.ledger.unbalanced, 0);
});

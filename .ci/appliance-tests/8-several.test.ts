// Two processes of the API behind one Caddy: both are asked, one that dies costs nothing that was acknowledged.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, Stack } from './stack.ts';

const stack = new Stack('several');
before(async () => {
  // so that a test on this machine can be several clients
  // and with slips of the pen of somebody who was in a hurry
  await stack.prepare(
    'API_PROCESSES=2\nTRUSTED_PROXY=10.0.0.0/8 172.16.0.0/12 192.168.0.0/16\nEVENT_RETENTION_DAY=30\nFAVOURITE_COLOUR=blue\n',
  );
  await stack.up();
});
after(() => stack.down());

test('names in .env that mean nothing are named at the start by each process, with what was probably meant, and nothing else is', async () => {
  const warned = (await stack.compose('logs', '--no-color', 'api'))
    .split('\n')
    .filter((line) => line.includes('is no setting'))
    .map((line) => {
      const { msg } = JSON.parse(line.slice(line.indexOf('{'))) as { msg: string };
      return `${line.split(' ')[0]} ${msg}`;
    });
  assert.deepEqual(
    warned.sort(),
    ['api-1', 'api-2'].flatMap((process) => [
      `${process} EVENT_RETENTION_DAY is no setting; EVENT_RETENTION_DAYS was meant?`,
      `${process} FAVOURITE_COLOUR is no setting`,
    ]),
  );
});

/** Of each container, how often its log has that somebody asked for a site's numbers. */
const askedOfEach = async () => {
  const logs = await stack.compose('logs', '--no-color', 'api');
  return [1, 2].map(
    (n) =>
      logs.split('\n').filter((line) => line.startsWith(`api-${n} `) && line.includes('/v1/metrics/summary'))
        .length,
  );
};

const askFrom = async (address: string) => {
  const headers = { 'x-forwarded-for': address };
  assert.equal((await stack.call('GET', '/v1/metrics/summary', undefined, headers)).status, 401);
};

test('one address is always led to the same of them, several to both, and each has a journal of its own', async () => {
  for (let n = 0; n < 4; n += 1) await askFrom('198.51.100.1');
  // the engine writes down what is said when it comes to it
  await eventually('all four are in the logs', 30, async () => {
    const [one = 0, other = 0] = await askedOfEach();
    return one + other >= 4;
  });
  assert.deepEqual((await askedOfEach()).sort(), [0, 4]);
  let n = 1;
  await eventually('both were asked', 60, async () => {
    n += 1;
    await askFrom(`198.51.100.${n}`);
    return (await askedOfEach()).every((count) => count > 0);
  });
  const folders = await stack.compose('exec', '-T', 'api', 'sh', '-c', 'cd /data && ls -d journal journal-2');
  assert.equal(folders.trim(), 'journal\njournal-2');
});

test('one of them is killed under load: nothing that was acknowledged is lost, and it comes back', async () => {
  const load = stack.load();
  await eventually('the load runs', 60, async () => load.acknowledged.length > 50);
  await stack.killMain('api');
  const before = load.acknowledged.length;
  await eventually('the load goes on', 60, async () => load.acknowledged.length > before + 50);
  const acknowledged = await load.stop();
  const ids = acknowledged.map((id) => `'${id}'`).join(',');
  assert.equal(
    await stack.sql(`select count(*) from events where event_id in (${ids})`),
    String(acknowledged.length),
  );
  await eventually('it is healthy again', 120, () => stack.healthy('api'));
});

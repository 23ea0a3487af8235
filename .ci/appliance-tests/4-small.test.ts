// A machine of one gigabyte and an eighth of a core.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { figure, Stack, shared, sleep } from './stack.ts';

const stack = new Stack('small');
after(async () => {
  await stack.down();
  execFileSync(join(shared, 'small-machine'), ['remove'], {
    env: { ...process.env, SMALL_MACHINE_GROUP: `small-${process.pid}` },
  });
});

test('confined to one gigabyte’s share and an eighth of a core it starts, serves, rolls up and backs up', async () => {
  const machine = (...args: string[]) =>
    execFileSync(join(shared, 'small-machine'), args, {
      cwd: stack.root,
      env: { ...stack.environment, SMALL_MACHINE_GROUP: `small-${process.pid}` },
    }).toString();
  await stack.prepare('RATE_LIMITS=off\nJOBS=off\n');
  machine('create', '650', '12.5');
  const override = join(stack.folder, 'small.yaml');
  writeFileSync(override, machine('override'));
  stack.environment.COMPOSE_FILE += `:${override}`;
  let began = Date.now();
  await stack.up();
  figure('small machine: first start, s', (Date.now() - began) / 1000);
  // a steady trickle for 20 s: 10 batches of 50 a second would be 500 events/s
  const answers: number[] = [];
  let stored = 0;
  began = Date.now();
  const sending: Promise<void>[] = [];
  for (let n = 0; n < 200; n++) {
    sending.push(
      (async () => {
        const sent = performance.now();
        const events = Array.from({ length: 20 }, (_, m) => ({
          anonId: `small-${n % 37}-${m}`,
          eventType: 'page_view',
          path: `/p/${m}`,
          eventId: crypto.randomUUID(),
        }));
        const answer = await stack.call('POST', '/v1/events', { events });
        if (answer.status === 202) stored += 20;
        answers.push(performance.now() - sent);
      })(),
    );
    await sleep(100);
  }
  await Promise.all(sending);
  answers.sort((a, b) => a - b);
  figure('small machine: 200 events/s in batches of 20', {
    stored,
    of: 4000,
    seconds: (Date.now() - began) / 1000,
    p50Ms: Math.round(answers[100]!),
    p95Ms: Math.round(answers[190]!),
  });
  assert.equal(stored, 4000);
  const today = new Date().toISOString().slice(0, 10);
  began = Date.now();
  await stack.compose('exec', '-T', 'api', 'marketing', 'rollups', 'run', '--from', today, '--to', today);
  figure(
    'small machine: rolling the day up by hand, with the start of the verb, s',
    (Date.now() - began) / 1000,
  );
  began = Date.now();
  await stack.compose('exec', '-T', 'api', 'marketing', 'backup');
  figure('small machine: backup, s', (Date.now() - began) / 1000);
  began = Date.now();
  await stack.compose('exec', '-T', 'api', 'marketing', 'verify');
  figure('small machine: trial restore, s', (Date.now() - began) / 1000);
  figure('small machine: the group', machine('show').trim().replaceAll('\n', '; ').replaceAll('\t', ' '));
  figure('small machine: memory, MiB', await stack.memory());
  assert.equal((await stack.call('GET', '/v1/healthz')).status, 200);
});

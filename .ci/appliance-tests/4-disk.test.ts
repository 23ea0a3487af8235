// A disk that fills up: people are served, nothing that is taken is lost, and someone is told.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { eventually, IMAGE, Stack } from './stack.ts';

const stacks: Stack[] = [];
after(async () => {
  for (const stack of stacks) await stack.down();
});

// Somebody's chat: prints what is posted to it.
const RECEIVER =
  "require('http').createServer((asked, answer) => { let body = ''; asked.on('data', (part) => body += part).on('end', () => { console.log(body); answer.end() }) }).listen(8080)";

/** Waits until the webhook has got a notice of this kind about each of these. */
async function told(stack: Stack, kind: string, ids: string[]): Promise<Record<string, string>> {
  // looked at once a minute; two of these looks, and the sending
  return eventually(`${kind} of ${ids.join(', ')}`, 150, async () => {
    const log = await stack.compose('logs', '--no-log-prefix', 'receiver');
    const notices = log
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { kind: string; id: string; text: string })
      .filter((notice) => notice.kind === kind);
    const texts = Object.fromEntries(notices.map(({ id, text }) => [id, text]));
    if (ids.every((id) => id in texts)) return texts;
    throw new Error(log);
  });
}

// A tmpfs counts into the memory of the container that fills it, so it has to be smaller than that.
test('on a full disk events wait, people are served, no dump is made, someone is told; room again, and all of it works again', async () => {
  const stack = new Stack('disk');
  stacks.push(stack);
  const small = join(stack.folder, 'small-disk.yaml');
  writeFileSync(
    small,
    `services:
  receiver:
    image: ${IMAGE}
    entrypoint: [node, -e, "${RECEIVER}"]
    healthcheck: {test: [CMD, "true"], start_interval: 1s, start_period: 10s}
    networks: [edge]
volumes:
  postgres-data:
    driver_opts: {type: tmpfs, device: tmpfs, o: "size=230m,mode=1777"}
  data:
    driver_opts: {type: tmpfs, device: tmpfs, o: "size=100m,uid=1000,gid=1000,mode=0750"}
`,
  );
  stack.files.push(small);
  await stack.prepare('RATE_LIMITS=off\nJOBS=off\nALERT_WEBHOOK_URL=http://receiver:8080/\n');
  await stack.up();
  await stack.compose('exec', '-T', 'api', 'marketing', 'backup');
  await stack.compose('exec', '-T', 'api', 'marketing', 'verify');
  const key = { 'x-admin-key': await stack.adminKey() };
  assert.equal((await stack.send()).status, 202);
  const fill = (percent: number) =>
    stack.compose(
      'exec',
      '-T',
      'postgres',
      'bash',
      '-c',
      `cd /var/lib/postgresql; rm -f fill; set -- $(df --output=size,used -k . | tail -1); fallocate -l $(( $1 * ${percent} / 100 - $2 ))K fill`,
    );
  await fill(92);
  const refused = await eventually('events are refused', 20, async () => {
    const answer = await stack.send();
    return answer.status === 503 && answer;
  });
  assert.equal(refused.body.error, 'unavailable');
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  const { body } = await stack.call('GET', '/v1/admin/status', undefined, key);
  assert.equal(body.eventsRefused, true);
  const lead = await stack.call('POST', '/v1/leads/capture', {
    email: 'ada@example.com',
    anonId: 'ada-browser-1',
    path: '/',
    formName: 'f',
  });
  assert.ok([200, 404].includes(lead.status), JSON.stringify(lead.body));
  if (lead.status === 200) {
    assert.equal(
      (await stack.call('POST', '/v1/leads/unsubscribe', { email: 'ada@example.com' })).status,
      200,
    );
    assert.equal(
      (await stack.call('POST', '/v1/leads/delete', { email: 'ada@example.com' }, key)).status,
      200,
    );
  }
  assert.equal((await stack.call('GET', '/v1/healthz')).status, 200);
  // the API's own disk, where dumps would go
  await stack.compose('exec', '-T', 'api', 'bash', '-c', 'fallocate -l 88M /data/fill');
  await assert.rejects(stack.compose('exec', '-T', 'api', 'marketing', 'backup'), /% full/);
  await assert.rejects(stack.compose('exec', '-T', 'api', 'marketing', 'verify'), /restore was skipped/);
  // and the last one that did take place is three days ago
  await stack.compose(
    'exec',
    '-T',
    'api',
    'bash',
    '-c',
    'sed -i "$1" /data/backups/*.check.json',
    'sed',
    `s/"at":"[^"]*"/"at":"${new Date(Date.now() - 72 * 3_600_000).toISOString()}"/`,
  );
  const alarms = ['disk', 'backup_failed', 'restore_check'];
  const texts = await told(stack, 'alarm', alarms);
  assert.match(texts.disk!, /^\[localhost\] ALARM \(critical\) disk: .*events are refused/);
  assert.match(texts.backup_failed!, /The disk is .* no backup is made here/);
  assert.match(texts.restore_check!, /No backup was restored on trial in the last 50 hours/);
  assert.match((await stack.attempt('status')).said, /ALARM +critical since .*events are refused/);
  await stack.compose('exec', '-T', 'api', 'rm', '/data/fill');
  await stack.compose('exec', '-T', 'postgres', 'rm', '/var/lib/postgresql/fill');
  await eventually('events are taken again', 20, async () => (await stack.send()).status === 202);
  await stack.compose('exec', '-T', 'api', 'marketing', 'backup');
  await stack.compose('exec', '-T', 'api', 'marketing', 'verify');
  await told(stack, 'recovered', alarms);
  await stack.down();
  stacks.pop();
});

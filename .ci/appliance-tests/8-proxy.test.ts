// Behind a proxy of the operator's: no TLS of ours, its word counts and nobody else's; and the database on a disk of one's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Stack } from './stack.ts';

const NAME = 'api.example.com';
const stack = new Stack('proxy');
// two machines on networks of their own; the first is the proxy
const machines = [1, 2].map((n) => ({
  namespace: `mktp${process.pid}-${n}`,
  server: `198.18.4${n}.1`,
  own: `198.18.4${n}.2`,
}));
const [proxy, stranger] = machines as [(typeof machines)[number], (typeof machines)[number]];
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

before(async () => {
  const disk = join(stack.folder, 'disk');
  mkdirSync(disk, { mode: 0o755 });
  const override = join(stack.folder, 'disk.yaml');
  writeFileSync(
    override,
    `volumes:\n  postgres-data:\n    driver_opts: {type: none, o: bind, device: "${disk}"}\n`,
  );
  stack.files.push(override);
  await stack.prepare(
    `SITE_ADDRESS=http://${NAME}\nPUBLIC_URL=https://${NAME}\nTRUSTED_PROXY=${proxy.own}\nCADDY_ADDRESS=\nRATE_LIMITS=off\nJOBS=off\n`,
  );
  await stack.up();
  for (const { namespace, server, own } of machines) {
    const cable = `v${namespace.slice(4)}`;
    ip('netns', 'add', namespace);
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('addr', 'add', `${server}/24`, 'dev', cable);
    ip('link', 'set', cable, 'up');
    ip('-n', namespace, 'addr', 'add', `${own}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  }
});
after(async () => {
  for (const { namespace } of machines) {
    try {
      ip('netns', 'del', namespace);
    } catch {
      // never made
    }
  }
  await stack.down();
});

/** Sends an event from that machine. returns the hash under which its sender's address was noted */
async function seenAs(machine: typeof proxy, ...headers: string[]): Promise<string> {
  const event = { anonId: `browser-${randomUUID()}`, eventType: 'page_view', path: '/' };
  const out = execFileSync('ip', [
    ...['netns', 'exec', machine.namespace, 'curl', '-sS', '--max-time', '15'],
    ...['-H', `Host: ${NAME}`, '-H', 'content-type: application/json'],
    ...headers.flatMap((header) => ['-H', header]),
    ...['-d', JSON.stringify(event), `http://${machine.server}:${stack.http}/v1/events`],
  ]).toString();
  const { visitorId } = JSON.parse(out);
  assert.ok(visitorId, out);
  return stack.sql(`select encode(ip_hash, 'hex') from visitors where visitor_id = '${visitorId}'`);
}

test('a visitor is seen under the address that the proxy says, and under no other that the visitor says before it', async () => {
  const pepper = await stack.compose('exec', '-T', 'api', 'cat', '/run/secrets/marketing/IP_HASH_PEPPER');
  const hash = (address: string) => createHmac('sha256', pepper.trim()).update(address).digest('hex');
  const visitor = '203.0.113.50';
  assert.equal(await seenAs(proxy, `X-Forwarded-For: ${visitor}`), hash(visitor));
  assert.equal(await seenAs(proxy, `X-Forwarded-For: 192.0.2.1, ${visitor}`), hash(visitor));
  assert.equal(
    await seenAs(proxy, `X-Forwarded-For: ${visitor}`, 'X-Real-IP: 192.0.2.1', 'Forwarded: for=192.0.2.1'),
    hash(visitor),
  );
  assert.equal(await seenAs(proxy), hash(proxy.own));
  // who goes round the proxy is who they are
  assert.equal(
    await seenAs(stranger, `X-Forwarded-For: ${visitor}`, `X-Real-IP: ${visitor}`),
    hash(stranger.own),
  );
});

test('it says nothing of a certificate, leads nobody to a port that is not there, and is well', async () => {
  const { code, said } = await stack.attempt('status');
  assert.equal(code, 0, said);
  assert.doesNotMatch(said, /certificate/);
  const answer = execFileSync('curl', [
    '-s',
    '-D',
    '-',
    '-H',
    `Host: ${NAME}`,
    `http://127.0.0.1:${stack.http}/`,
  ]).toString();
  assert.match(answer, /^HTTP\/1.1 200/);
  assert.doesNotMatch(answer, /strict-transport-security/i);
});

test('a disk of one’s own, which belongs to root at first, is given to the database', async () => {
  const owner = await stack.compose('exec', '-T', 'postgres', 'stat', '-c', '%u', '/var/lib/postgresql');
  assert.equal(owner.trim(), '999');
});

// Webhooks reach the public internet and nothing else, whatever a name or an address looks like.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIP, type LookupFunction } from 'node:net';
import { after, before, test } from 'node:test';
import { guardedLookup, isDenied, publicReach } from './reach.ts';
import { send } from './send.ts';

/** Names and literals by which somebody could mean a machine of ours, or one beside it. */
const LITERALS = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '0',
    '0.0.0.0',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '017700000001',
    '0177.0.0.1',
  ],
  ...[
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.254',
    '192.168.0.1',
    '192.168.255.255',
    '100.64.0.1',
    '100.127.255.255',
  ],
  ...[
    '169.254.169.254',
    '169.254.0.1',
    '0xa9fea9fe',
    '2852039166',
    '192.0.0.1',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.19.255.255',
  ],
  ...[
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
  ],
  ...[
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::7f00:1]',
    '[::127.0.0.1]',
    '[::a9fe:a9fe]',
    '[::10.0.0.1]',
    '[::ffff:127.0.0.1]',
  ],
  ...[
    '[::ffff:7f00:1]',
    '[::ffff:10.0.0.1]',
    '[::ffff:169.254.169.254]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::a00:1]',
  ],
  ...[
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[2002:a00:1::1]',
    '[2001::1]',
    '[2001:0:7f00:1::]',
    '[2001:db8::1]',
    '[100::1]',
    '[3fff::1]',
    '[5f00::1]',
  ],
  ...[
    '[fc00::1]',
    '[fd00::1]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '[fec0::1]',
    '[febf::1]',
    '[ff02::1]',
    '[ff0e::1]',
  ],
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'intranet',
    'postgres',
    'nas.local',
    'metadata.google.internal',
    'router.lan',
    'printer.home',
    'db.corp',
    'wiki.intranet',
    'box.localdomain',
    'kube.svc.internal',
    '127.0.0.1.',
    '10.1',
    '192.168.257',
    'x.home.arpa',
  ],
];
/** What a name may point at: whatever DNS can answer. */
const ANSWERS = LITERALS.map((one) => new URL(`https://${one}/`).hostname.replace(/^\[|\]$/g, '')).filter(
  (one) => isIP(one) !== 0,
);

// Whoever reaches this machine reaches this server; nothing may.
let server: Server;
let reached = 0;
before(async () => {
  server = createServer((_asked, answer) => {
    reached += 1;
    answer.end();
  });
  server.on('connection', () => {
    reached += 1;
  });
  await new Promise<void>((done) => server.listen(0, done));
});
after(() => server.close());

const message = (url: string) => ({ id: 'msg_1', url, body: '{}', secrets: [] });
/** A resolver that answers what it is told, to one question or to all that are asked for. */
const resolver =
  (...answers: string[]): LookupFunction =>
  (_name, options, done) => {
    const all = answers.map((address) => ({ address, family: isIP(address) }));
    const first = all[0]!;
    if (options.all) (done as unknown as (error: null, all: object[]) => void)(null, all);
    else done(null, first.address, first.family);
  };

test('over eighty ways to write an address of ours or of nobody reach nothing', async () => {
  assert.ok(LITERALS.length >= 80, `${LITERALS.length}`);
  const reach = publicReach('https://marketing.example');
  for (const one of LITERALS) {
    const { outcome } = await send(reach, message(`https://${one}/`));
    assert.equal(outcome, 'blocked', one);
  }
  assert.equal(reached, 0);
});

test('a name that points there is refused when connecting, alone or beside a public address, in both forms of an answer', async () => {
  assert.ok(ANSWERS.length >= 60, `${ANSWERS.length}`);
  for (const address of ANSWERS)
    for (const answers of [[address], ['93.184.215.14', address]]) {
      const reach = publicReach(undefined, resolver(...answers));
      const { outcome } = await send(reach, message('https://rebound.example.com/'));
      assert.equal(outcome, 'blocked', answers.join());
    }
  assert.equal(reached, 0);
});

test('a name that pointed to the internet when it was looked at, and to us when it was connected to, reaches nothing', async () => {
  const turns = ['93.184.215.14', '127.0.0.1'];
  let asked = 0;
  const turning: LookupFunction = (name, options, done) =>
    resolver(turns[Math.min(asked++, 1)]!)(name, options, done);
  turning('rebound.example.com', {}, () => {});
  const { outcome } = await send(publicReach(undefined, turning), message('https://rebound.example.com/'));
  assert.deepEqual([outcome, asked, reached], ['blocked', 2, 0]);
});

test('addresses of the public internet are let through, of both families, written out or answered', async () => {
  for (const address of [
    '93.184.215.14',
    '8.8.8.8',
    '1.1.1.1',
    '172.15.0.1',
    '223.255.255.254',
    '2606:4700::1111',
    '2a00:1450::1',
  ]) {
    assert.equal(isDenied(address), false, address);
    const literal = isIP(address) === 6 ? `[${address}]` : address;
    assert.equal(
      publicReach('https://marketing.example').refuses(new URL(`https://${literal}/`)),
      null,
      address,
    );
    for (const all of [true, false]) {
      const looked = Promise.withResolvers<unknown>();
      guardedLookup(resolver(address))('crm.example.com', { all }, (error) => looked.resolve(error));
      assert.equal(await looked.promise, null, address);
    }
  }
  assert.equal(
    publicReach('https://marketing.example').refuses(new URL('https://crm.example.com/hook')),
    null,
  );
});

test('without our own list the agent lets an IPv4 address inside an IPv6 one through: so the list is needed', async () => {
  const { RequestFilteringHttpsAgent } = await import('request-filtering-agent');
  const agent = new RequestFilteringHttpsAgent() as unknown as {
    createConnection(
      to: object,
      done: (error: Error | null) => void,
    ): { destroy(): void; on(on: string, done: () => void): void };
  };
  let refusal: Error | null = null;
  const socket = agent.createConnection(
    { host: '::7f00:1', port: (server.address() as AddressInfo).port },
    (error) => {
      refusal = error;
    },
  );
  socket.on('error', () => {});
  socket.destroy();
  assert.equal(refusal, null);
});

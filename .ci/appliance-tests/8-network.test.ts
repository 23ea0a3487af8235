// What a visitor's network sees: a certificate from a real ACME server, HTTP/3, and limits that are each client's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac, randomUUID, type X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { eventually, figure, repository, Stack } from './stack.ts';

const NAME = 'api.example.com';
const stack = new Stack('network');
const folder = join(stack.folder, 'acme');
const PEBBLE = 'marketing-test-pebble';

// --- two clients on networks of their own: each a namespace with one cable to this machine

interface Client {
  name: string;
  /** The machine's end of the cable, which the client sees as the server. */
  server: Record<4 | 6, string>;
  own: Record<4 | 6, string>;
}
// 198.18.0.0/15 is set aside for tests of networks, 2001:db8::/32 for documents
const clients: Client[] = [1, 2].map((n) => ({
  name: `mkt${process.pid}-${n}`,
  server: { 4: `198.18.${n}.1`, 6: `2001:db8:${n}::1` },
  own: { 4: `198.18.${n}.2`, 6: `2001:db8:${n}::2` },
}));
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

function plugIn({ name, server, own }: Client): void {
  const cable = `v${name.slice(3)}`;
  ip('netns', 'add', name);
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  ip('addr', 'add', `${server[4]}/24`, 'dev', cable);
  ip('addr', 'add', `${server[6]}/64`, 'dev', cable, 'nodad');
  ip('link', 'set', cable, 'up');
  ip('-n', name, 'addr', 'add', `${own[4]}/24`, 'dev', 'eth0');
  ip('-n', name, 'addr', 'add', `${own[6]}/64`, 'dev', 'eth0', 'nodad');
  ip('-n', name, 'link', 'set', 'eth0', 'up');
}

/** A request from a client's own network. returns the status, and the body */
function ask(client: Client, family: 4 | 6, path: string, body: unknown, ...headers: string[]) {
  const address = family === 6 ? `[${client.server[6]}]` : client.server[4];
  const out = execFileSync('ip', [
    ...[
      'netns',
      'exec',
      client.name,
      'curl',
      '-sS',
      '--max-time',
      '15',
      '--cacert',
      join(folder, 'root.pem'),
    ],
    ...['--resolve', `${NAME}:${stack.https}:${address}`, '-H', 'content-type: application/json'],
    ...headers.flatMap((header) => ['-H', header]),
    ...['-d', JSON.stringify(body), '-w', '\n%{http_code}', `https://${NAME}:${stack.https}${path}`],
  ]).toString();
  const at = out.lastIndexOf('\n');
  return { status: Number(out.slice(at + 1)), body: JSON.parse(out.slice(0, at)) };
}

before(async () => {
  mkdirSync(folder, { recursive: true });
  // Let's Encrypt's own test server; it looks the name up and knocks at port 80 or 443, as the real one does
  execFileSync('docker', ['build', '--quiet', '--network=host', '--tag', PEBBLE, '-'], {
    input:
      'FROM debian:trixie-slim\nRUN apt-get update && apt-get install -y --no-install-recommends pebble\n',
  });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', ...key, '-subj', '/CN=pebble', '-addext', 'subjectAltName=DNS:pebble'],
      ...['-keyout', join(folder, 'pebble.key'), '-out', join(folder, 'pebble.pem')],
    ],
    { stdio: 'ignore' },
  );
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      pebble: {
        listenAddress: '0.0.0.0:14000',
        managementListenAddress: '0.0.0.0:15000',
        certificate: '/acme/pebble.pem',
        privateKey: '/acme/pebble.key',
        httpPort: 80,
        tlsPort: 443,
        ocspResponderURL: '',
        externalAccountBindingRequired: false,
      },
    }),
  );
  const override = join(stack.folder, 'acme.yaml');
  writeFileSync(
    override,
    `services:
  pebble:
    image: ${PEBBLE}
    command: [pebble, -config, /acme/config.json, -dnsserver, "127.0.0.11:53"]
    environment: {PEBBLE_VA_NOSLEEP: "1"}
    networks: [edge]
    volumes: ["${folder}:/acme:ro"]
  caddy:
    depends_on: {pebble: {condition: service_started}}
    networks: {edge: {aliases: [${NAME}]}}
    volumes: ["${folder}:/acme:ro"]
`,
  );
  stack.files.push(override);
  await stack.prepare(
    `SITE_ADDRESS=${NAME}\nJOBS=off\nCADDY_GLOBAL="acme_ca https://pebble:14000/dir\\nacme_ca_root /acme/pebble.pem"\n`,
  );
  await stack.up();
  for (const client of clients) plugIn(client);
});
after(async () => {
  // the cables go with their namespaces
  for (const { name } of clients) {
    try {
      ip('netns', 'del', name);
    } catch {
      // never made
    }
  }
  await stack.down();
});

/** The certificate that a visitor is shown. */
const certificate = () =>
  new Promise<X509Certificate>((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port: stack.https, servername: NAME, rejectUnauthorized: false, timeout: 5000 },
      () => {
        const shown = socket.getPeerX509Certificate();
        socket.destroy();
        if (shown) resolve(shown);
        else reject(new Error('no certificate'));
      },
    );
    socket.once('error', reject).once('timeout', () => socket.destroy(new Error('timed out')));
  });

test('SITE_ADDRESS=api.example.com gets its certificate by ACME, by itself', async () => {
  const shown = await eventually('a certificate is shown', 60, certificate);
  assert.match(shown.issuer, /Pebble Intermediate/);
  assert.equal(shown.checkHost(NAME), NAME);
  // that server's root is new each time; asked for it, curl checks the whole chain in every request below
  const root = await stack.command('docker', [
    ...['compose', 'exec', '-T', 'api', 'marketing', 'node', '-e'],
    "process.env.NODE_TLS_REJECT_UNAUTHORIZED='0';fetch('https://pebble:15000/roots/0').then(async(a)=>console.log(await a.text()))",
  ]);
  assert.match(root, /BEGIN CERTIFICATE/);
  writeFileSync(join(folder, 'root.pem'), root);
  const [client] = clients as [Client];
  const answer = ask(client, 4, '/v1/events', event());
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  // and the API watches how long it lasts
  assert.match(
    (await stack.attempt('status')).said,
    /^certificate +api\.example\.com: \d+(\.\d)? days left$/m,
  );
});

test('HTTP/3 answers a real browser over UDP', async () => {
  const { chromium } = (await import(
    pathToFileURL(join(repository, 'api/node_modules/playwright-core/index.mjs')).href
  )) as typeof import('../../api/node_modules/playwright-core/index.js');
  const spki = createHash('sha256')
    .update((await certificate()).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
      // no way back to TCP: an answer is an answer over QUIC
      `--origin-to-force-quic-on=${NAME}:${stack.https}`,
      `--ignore-certificate-errors-spki-list=${spki}`,
    ],
  });
  try {
    const page = await browser.newPage();
    const answer = await page.goto(`https://${NAME}:${stack.https}/v1/healthz`, { timeout: 20_000 });
    assert.equal(answer?.status(), 200);
    assert.equal(await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol"), 'h3');
  } finally {
    await browser.close();
  }
  // how a browser that came over TCP learns of it
  const headers = execFileSync('curl', [
    ...['-sk', '--resolve', `${NAME}:${stack.https}:127.0.0.1`, '-o', '/dev/null', '-D', '-'],
    `https://${NAME}:${stack.https}/v1/healthz`,
  ]).toString();
  assert.match(headers, /^alt-svc: h3=":443"/im);
  // a public name is asked for by TLS alone from now on
  assert.match(headers, /^strict-transport-security: max-age=31536000/im);
  await eventually('the access log says so too', 10, async () =>
    (await stack.compose('logs', 'caddy')).includes('"proto":"HTTP/3.0"'),
  );
});

const event = () => ({ anonId: `client-${randomUUID()}`, eventType: 'page_view', path: '/' });
const forged = ['X-Real-IP: 203.0.113.9', 'X-Forwarded-For: 203.0.113.9', 'Forwarded: for=203.0.113.9'];

for (const family of [4, 6] as const)
  test(`over IPv${family} each client is seen under its own address, whatever it says about itself`, async () => {
    const pepper = await stack.compose('exec', '-T', 'api', 'cat', '/run/secrets/marketing/IP_HASH_PEPPER');
    for (const client of clients)
      for (const headers of [[], forged]) {
        const answer = ask(client, family, '/v1/events', event(), ...headers);
        assert.equal(answer.status, 202, JSON.stringify(answer.body));
        assert.equal(
          await stack.sql(
            `select encode(ip_hash, 'hex') from visitors where visitor_id = '${answer.body.visitorId}'`,
          ),
          createHmac('sha256', pepper.trim()).update(client.own[family]).digest('hex'),
          `${client.name} ${headers.length > 0 ? 'forging' : 'honest'}`,
        );
      }
  });

for (const family of [4, 6] as const)
  test(`over IPv${family} a limit that one client has used up is used up for it alone`, () => {
    const [greedy, patient] = clients as [Client, Client];
    const unsubscribe = (client: Client, ...headers: string[]) =>
      ask(client, family, '/v1/leads/unsubscribe', { email: 'nobody@example.com' }, ...headers).status;
    const statuses = Array.from({ length: 14 }, () => unsubscribe(greedy));
    assert.ok(statuses.includes(200) && statuses.at(-1) === 429, statuses.join(' '));
    // another name for itself buys nothing
    assert.equal(unsubscribe(greedy, ...forged), 429);
    assert.equal(unsubscribe(patient), 200);
  });

test('from this machine itself everyone is the engine’s own address: a test on localhost says nothing about visitors', async () => {
  const pepper = (
    await stack.compose('exec', '-T', 'api', 'cat', '/run/secrets/marketing/IP_HASH_PEPPER')
  ).trim();
  const { NetworkSettings } = await stack.inspect('caddy');
  const { Gateway, IPv6Gateway } = NetworkSettings.Networks[`${stack.project}_edge`];
  for (const address of ['127.0.0.1', '[::1]']) {
    const out = execFileSync('curl', [
      ...['-sS', '--max-time', '15', '--cacert', join(folder, 'root.pem')],
      ...['--resolve', `${NAME}:${stack.https}:${address}`, '-H', 'content-type: application/json'],
      ...['-d', JSON.stringify(event()), `https://${NAME}:${stack.https}/v1/events`],
    ]).toString();
    const found = await stack.sql(
      `select encode(ip_hash, 'hex') from visitors where visitor_id = '${JSON.parse(out).visitorId}'`,
    );
    const known = [Gateway, IPv6Gateway].find(
      (gateway: string) => createHmac('sha256', pepper).update(gateway).digest('hex') === found,
    );
    assert.ok(known, `${address} came from neither ${Gateway} nor ${IPv6Gateway}`);
    figure(`the address that ${address} seems to have`, known === Gateway ? 'IPv4 gateway' : 'IPv6 gateway');
  }
  // and the API counts both among those whom something on this machine hides; no client of a network of its own is one of them
  const { said } = await stack.attempt('status', '--json');
  const { visitors } = JSON.parse(said.slice(said.indexOf('{')));
  assert.equal(visitors.gateway, 2, JSON.stringify(visitors));
});

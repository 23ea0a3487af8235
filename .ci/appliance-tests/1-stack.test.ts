// The stack as an operator meets it: up from a clean clone, what answers, what is locked, what is kept.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, figure, IMAGE, Stack, sleep } from './stack.ts';

const stack = new Stack('stack');
before(async () => {
  // looked at more often than in earnest, so that what hangs shows within seconds
  const often = join(stack.folder, 'often.yaml');
  const check = 'healthcheck: {interval: 4s}';
  writeFileSync(
    often,
    `services:\n  postgres: {stop_grace_period: 10s, ${check}}\n  api: {${check}}\n  caddy: {${check}}\n`,
  );
  stack.files.push(often);
  await stack.prepare();
  const began = Date.now();
  await stack.up();
  figure('first start, images there, s', (Date.now() - began) / 1000);
});
after(() => stack.down());

test('without any .env it serves https on localhost, and an event through Caddy lies in PostgreSQL', async () => {
  assert.equal((await stack.call('GET', '/v1/healthz')).body.ok, true);
  const answer = await stack.send({ path: '/first' });
  assert.equal(answer.status, 202);
  assert.equal(
    await stack.sql(`select path from events where event_id = '${answer.body.eventId}'`),
    '/first',
  );
});

test('only Caddy publishes ports: 80/tcp, 443/tcp, 443/udp', async () => {
  for (const service of ['postgres', 'api'])
    assert.deepEqual((await stack.inspect(service)).HostConfig.PortBindings, {});
  assert.deepEqual(Object.keys((await stack.inspect('caddy')).HostConfig.PortBindings).sort(), [
    '443/tcp',
    '443/udp',
    '80/tcp',
  ]);
  const network = JSON.parse(
    execFileSync('docker', ['network', 'inspect', `${stack.project}_db`]).toString(),
  )[0];
  assert.equal(network.Internal, true);
});

test('every container has the user, limits and locks it should have', async () => {
  const users: Record<string, string> = {
    postgres: '999:999',
    api: '1000:1000',
    caddy: '1000:1000',
    init: '0:0',
  };
  const added: Record<string, string[] | null> = {
    postgres: null,
    api: null,
    caddy: ['CAP_NET_BIND_SERVICE'],
    init: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER'],
  };
  let memory = 0;
  for (const [service, user] of Object.entries(users)) {
    const { Config, HostConfig, Mounts } = await stack.inspect(service);
    assert.equal(Config.User, user, service);
    assert.equal(HostConfig.ReadonlyRootfs, true, service);
    assert.deepEqual(HostConfig.CapDrop, ['ALL'], service);
    assert.deepEqual(HostConfig.CapAdd, added[service], service);
    assert.ok(HostConfig.SecurityOpt.includes('no-new-privileges:true'), service);
    assert.ok(HostConfig.PidsLimit > 0, service);
    assert.equal(HostConfig.LogConfig.Config['max-size'], '10m', service);
    assert.ok(HostConfig.Memory > 0, service);
    assert.ok(
      Mounts.every((mount: { Source?: string }) => !mount.Source?.includes('docker.sock')),
      service,
    );
    memory += HostConfig.Memory / 1048576;
    if (service !== 'init') assert.equal(HostConfig.RestartPolicy.Name, 'unless-stopped', service);
  }
  assert.ok(memory <= 850, `${memory} MB`);
  // as the kernel sees it, not as it was asked for
  for (const [service, uid] of [
    ['postgres', 999],
    ['api', 1000],
    ['caddy', 1000],
  ] as const) {
    const { State } = await stack.inspect(service);
    const status = execFileSync('cat', [`/proc/${State.Pid}/status`]).toString();
    assert.match(status, new RegExp(`^Uid:\\s+${uid}\\s`, 'm'), service);
    assert.match(status, /^NoNewPrivs:\s+1$/m, service);
    assert.match(status, /^CapEff:\s+0000000000000(000|400)$/m, service);
    await assert.rejects(stack.compose('exec', '-T', service, 'sh', '-c', 'echo x > /written'), /ead-only/);
  }
});

test('the image holds no compiler, package manager or downloader, and no secret', async () => {
  const inside = (command: string) =>
    execFileSync('docker', [
      'run',
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      'sh',
      IMAGE,
      '-c',
      command,
    ]).toString();
  assert.equal(
    inside(
      'for t in npm npx corepack gcc make apt-get dpkg curl wget gosu git; do command -v $t; done; true',
    ),
    '',
  );
  assert.equal(inside('id -u').trim(), '1000');
  assert.equal(inside('pg_dump --version').replace(/.* (\d+)\..*\n/, '$1'), '18');
  figure(
    'API image, MB',
    Math.round(
      Number(execFileSync('docker', ['image', 'inspect', '--format', '{{.Size}}', IMAGE]).toString()) / 1e6,
    ),
  );
});

test('secrets are in no environment, no log and no listing, and each user reads only its own', async () => {
  const key = await stack.adminKey();
  assert.ok(key.length >= 40);
  const password = await stack.compose(
    'exec',
    '-T',
    'postgres',
    'cat',
    '/run/secrets/marketing/POSTGRES_PASSWORD',
  );
  const pepper = await stack.compose('exec', '-T', 'api', 'cat', '/run/secrets/marketing/IP_HASH_PEPPER');
  const seen = [
    await stack.compose('logs'),
    await stack.compose('config'),
    ...(await Promise.all(
      ['init', 'postgres', 'api', 'caddy'].map(async (service) =>
        JSON.stringify(await stack.inspect(service)),
      ),
    )),
  ].join('\n');
  for (const secret of [key, password, pepper]) assert.equal(seen.includes(secret.trim()), false);
  await assert.rejects(
    stack.compose('exec', '-T', 'postgres', 'cat', '/run/secrets/marketing/ADMIN_API_KEY'),
    /ermission denied/,
  );
  assert.equal(
    (await stack.call('GET', '/v1/admin/status', undefined, { 'x-admin-key': key })).body.database.ok,
    true,
  );
});

test('what a client says about its own address is thrown away', async () => {
  const plain = await stack.send({ anonId: 'honest-browser' });
  const forged = await stack.call(
    'POST',
    '/v1/events',
    { anonId: 'forging-browser', eventType: 'page_view', path: '/' },
    {
      'x-real-ip': '203.0.113.9',
      'x-forwarded-for': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
      'true-client-ip': '203.0.113.9',
    },
  );
  assert.equal(forged.status, 202);
  assert.equal(
    await stack.sql(
      `select count(distinct ip_hash) from visitors where visitor_id in ('${plain.body.visitorId}', '${forged.body.visitorId}')`,
    ),
    '1',
  );
});

test('names nobody gave us, plain addresses and the API’s insides are refused', async () => {
  const curl = (...args: string[]) => {
    try {
      return execFileSync(
        'curl',
        ['-sk', '--max-time', '10', '-o', '/dev/null', '-w', '%{http_code}', ...args],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      ).toString();
    } catch (error) {
      return `curl ${(error as { status: number }).status}`;
    }
  };
  const { http, https } = stack;
  assert.equal(curl('-H', 'Host: evil.example', `http://127.0.0.1:${http}/`), 'curl 52');
  assert.equal(
    curl('--resolve', `evil.example:${https}:127.0.0.1`, `https://evil.example:${https}/`),
    'curl 35',
  );
  assert.equal(curl('-H', 'Host: evil.example', `https://localhost:${https}/`), '421');
  assert.equal(curl(`http://localhost:${http}/v1/healthz`), '308');
  // who is led to TLS learns nothing about the server on the way
  const redirect = execFileSync('curl', ['-s', '-D', '-', `http://localhost:${http}/v1/healthz`]).toString();
  assert.match(redirect, /^location: https:\/\/localhost\/v1\/healthz\r$/im);
  assert.doesNotMatch(redirect, /^server:/im);
  for (const path of [
    '/metrics',
    '/livez',
    '/readyz',
    '/metrics/',
    '/readyz/',
    '/metrics/x',
    '//metrics',
    '/%6Detrics',
  ])
    assert.equal(curl(`https://localhost:${https}${path}`), '404');
});

test('the snippet comes from Caddy: compressed, immutable under its hash, with the integrity the API names', async () => {
  const { body } = await stack.call('GET', '/s.json');
  const immutable = await stack.call('GET', body.full.path);
  assert.equal(immutable.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal(`sha384-${createHash('sha384').update(immutable.body).digest('base64')}`, body.full.integrity);
  const short = await stack.call('GET', '/s.js', undefined, { 'accept-encoding': 'br' });
  assert.equal(short.headers.get('content-encoding'), 'br');
  assert.equal(short.headers.get('cache-control'), 'public, max-age=600, stale-while-revalidate=86400');
  assert.equal(short.headers.get('server'), null);
});

test('the dashboard comes from Caddy at every address below /app, under its own policy, its files immutable', async () => {
  for (const path of ['/app', '/app/', '/app/sites', '/app/default/overview?range=7d']) {
    const page = await stack.call('GET', path, undefined, { 'accept-encoding': 'br' });
    assert.equal(page.status, 200, path);
    assert.match(
      page.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; script-src 'self';/,
    );
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(page.headers.get('cache-control'), 'no-cache');
    assert.equal(page.headers.get('access-control-allow-origin'), null);
  }
  const [, script = ''] = /src="(\/app\/-\/[^"]+\.js)"/.exec((await stack.call('GET', '/app')).body) ?? [];
  const file = await stack.call('GET', script, undefined, { 'accept-encoding': 'br' });
  assert.equal(file.headers.get('content-encoding'), 'br');
  assert.equal(file.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal((await stack.call('GET', '/app/-/gone.js')).status, 404);
  // it asks the API at the same origin, which nobody is signed in to
  assert.equal((await stack.call('GET', '/v1/users/me')).status, 401);
});

test('answers are compressed, and node keeps idle connections longer than Caddy does', async () => {
  const compressed = await stack.call('GET', '/v1/openapi.json', undefined, { 'accept-encoding': 'gzip' });
  assert.equal(compressed.headers.get('content-encoding'), 'gzip');
  const node = await stack.compose(
    ...['exec', '-T', 'api', 'marketing', 'node', '-e'],
    "fetch('http://127.0.0.1:3000/livez').then((answer) => console.log(answer.headers.get('keep-alive')))",
  );
  const caddyfile = readFileSync(join(stack.root, 'caddy/Caddyfile'), 'utf8');
  const seconds = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1]);
  assert.ok(seconds(node, /timeout=(\d+)/) > 2 * seconds(caddyfile, /^\s*keepalive (\d+)s$/m), node);
});

test('the database checks its pages, admits by SCRAM only, loses nothing it acknowledged and logs no values', async () => {
  const settings = await stack.sql(
    `select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name in ('data_checksums', 'password_encryption',
       'fsync', 'synchronous_commit', 'full_page_writes', 'log_error_verbosity', 'log_parameter_max_length', 'log_parameter_max_length_on_error')`,
  );
  assert.equal(
    settings,
    'data_checksums=on fsync=on full_page_writes=on log_error_verbosity=terse log_parameter_max_length=0 ' +
      'log_parameter_max_length_on_error=0 password_encryption=scram-sha-256 synchronous_commit=on',
  );
  // the owner is no superuser, who alone may ask the server for these rules
  const rules = (await stack.compose('exec', '-T', 'postgres', 'cat', '/etc/marketing/pg_hba.conf'))
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  assert.ok(rules.length > 0);
  for (const rule of rules) assert.match(rule.trim(), /\sscram-sha-256$/, rule);
  assert.equal(
    await stack.sql('select rolsuper or rolreplication from pg_roles where rolname = current_user'),
    'f',
  );
  await assert.rejects(
    stack.compose(
      ...['exec', '-T', '-e', 'PGPASSWORD=guessed', 'postgres'],
      ...['psql', '-h', '127.0.0.1', '-U', 'marketing_owner', '-d', 'marketing', '-c', 'select 1'],
    ),
    /password authentication failed/,
  );
  // an address that breaks a statement stays out of the log
  await assert.rejects(
    stack.sql("do $$ begin raise unique_violation using detail = 'Key (email)=(ada@example.com)'; end $$"),
  );
  assert.equal((await stack.compose('logs', 'postgres')).includes('ada@example.com'), false);
});

test('too much is refused in our own shape, and security headers are on every answer', async () => {
  const large = await stack.call('POST', '/v1/events', `{"x":"${'a'.repeat(200_000)}"}`);
  assert.equal(large.status, 413);
  assert.equal(large.body.error, 'payload_too_large');
  assert.equal(large.headers.get('x-content-type-options'), 'nosniff');
  // a person reads why on a page, whoever of the two refuses
  const html = { accept: 'text/html,*/*' };
  const tooMuch = `x=${'a'.repeat(200_000)}`;
  for (const [status, words, said] of [
    [
      413,
      /larger than this address takes|too large/,
      await stack.call('POST', '/v1/leads/capture', tooMuch, html),
    ],
    [404, /Il n’y a rien à cette adresse/, await stack.call('GET', '/metrics', undefined, html)],
  ] as const) {
    assert.equal(said.status, status);
    assert.match(said.headers.get('content-type')!, /^text\/html/);
    assert.match(said.body, words);
  }
  // a script on a page may read that it was too much
  const origin = 'https://www.example.com';
  const read = await stack.call('POST', '/v1/events', `{"x":"${'a'.repeat(200_000)}"}`, { origin });
  assert.equal(read.headers.get('access-control-allow-origin'), origin);
  // the API's own answers have them too, Caddy's refusals and files
  for (const path of ['/v1/healthz', '/', '/metrics', '/s.js']) {
    const { headers } = await stack.call('GET', path);
    assert.equal(headers.get('x-frame-options'), 'DENY', path);
    assert.match(headers.get('permissions-policy')!, /camera=\(\)/, path);
    assert.ok(headers.get('referrer-policy'), path);
    assert.equal(headers.get('server'), null, path);
  }
  // the feed for pages without JavaScript may stand in any frame
  const feed = await stack.call('GET', '/v1/feed.html?site=default');
  assert.deepEqual([feed.status, feed.headers.get('x-frame-options')], [200, null]);
  // a shared view may stand in one of the pages it names
  const made = await stack.call(
    'POST',
    '/v1/sites/default/shares',
    { name: 'our pages', embed: ['https://www.example.com'] },
    { 'x-admin-key': await stack.adminKey() },
  );
  const framed = await stack.call('GET', `/app/embed/${made.body.share.shareId}`);
  assert.equal(framed.headers.get('x-frame-options'), null);
  assert.match(
    framed.headers.get('content-security-policy')!,
    /frame-ancestors https:\/\/www\.example\.com;/,
  );
  const nowhere = await stack.call('GET', '/app/embed/00000000-0000-7000-8000-000000000000');
  assert.equal(nowhere.headers.get('x-frame-options'), 'DENY');
  assert.match(nowhere.headers.get('content-security-policy')!, /frame-ancestors 'none';/);
});

test('the access log holds no query, cookie, token or full address', async () => {
  await stack.call('GET', '/v1/unsubscribe/a-token-nobody-may-see?email=ada@example.com', undefined, {
    cookie: 'session=a-cookie',
    referer: 'https://a-referrer.example/',
  });
  // however somebody, or a mail program, spells it
  const spellings = [
    '/V1/UNSUBSCRIBE/',
    '//unsubscribe/',
    '/v1//unsubscribe/',
    '/v1/%75nsubscribe/',
    '/unsubscribe/',
  ];
  for (const path of [...spellings, '/v1/ada@example.com/'])
    await stack.call('GET', `${path}a-token-nobody-may-see`);
  const log = await eventually('the requests are in the log', 30, async () => {
    const text = await stack.compose('logs', 'caddy');
    return text.includes('"uri":"/v1/unsubscribe/"') && text.includes('"uri":"/unsubscribe/"') && text;
  });
  for (const word of ['a-token-nobody-may-see', 'ada@example.com', 'a-cookie', 'a-referrer'])
    assert.equal(log.includes(word), false, word);
  assert.match(log, /"uri":"\/v1\/unsubscribe\/"/);
  assert.match(log, /"remote_ip":"\d+\.\d+\.0\.0"/);
});

test('while the API is away a client gets our JSON with Retry-After, a person’s browser a page', async () => {
  await stack.compose('stop', 'api');
  const machine = await stack.send();
  assert.equal(machine.status, 503);
  assert.equal(machine.body.error, 'unavailable');
  assert.equal(machine.headers.get('retry-after'), '5');
  const person = await stack.call('POST', '/v1/leads/capture', 'email=a', {
    accept: 'text/html',
    'content-type': 'application/x-www-form-urlencoded',
  });
  assert.equal(person.status, 503);
  assert.match(String(person.body), /<h1>/);
  // in a frame of somebody else's page a fault would stay
  const framed = await stack.call('GET', '/v1/feed.html?site=default', undefined, { accept: 'text/html' });
  assert.equal(framed.status, 503);
  assert.equal(framed.headers.get('refresh'), '30');
  assert.equal(framed.headers.get('x-frame-options'), null);
  assert.equal(String(framed.body), '<!doctype html><title>—</title>');
  // what Caddy says of its own trouble tells no more about people than its access log does
  const secrets = { 'x-admin-key': 'a-key-nobody-may-see', referer: 'https://a-page.example/of-ada' };
  await stack.call('GET', '/v1/leads?search=ada@example.com', undefined, secrets);
  await sleep(500);
  const adapted = JSON.parse(
    await stack.compose('exec', '-T', 'caddy', 'caddy', 'adapt', '--config', '/etc/caddy/Caddyfile'),
  );
  const formats = Object.values<{ encoder: { fields: object } }>(adapted.logging.logs).map(
    ({ encoder }) => encoder.fields,
  );
  assert.equal(formats.length, 2);
  assert.ok(Object.keys(formats[0]!).length > 5);
  assert.deepEqual(formats[0], formats[1]);
  const log = await stack.compose('logs', 'caddy');
  assert.equal(log.includes('not formatted'), false);
  for (const word of ['a-key-nobody-may-see', 'a-page.example', 'ada@example.com'])
    assert.equal(log.includes(word), false, word);
  assert.deepEqual(log.match(/"(remote|client)_ip":"(?!\d+\.\d+\.0\.0"|[\da-f:]+::")[^"]*"/g), null);
  await stack.up();
});

test('down and up again keeps every row and every secret', async () => {
  const key = await stack.adminKey();
  const before = await stack.sql('select count(*) from events');
  await stack.compose('down', '--timeout', '30');
  await stack.up();
  assert.equal(await stack.sql('select count(*) from events'), before);
  assert.equal(await stack.adminKey(), key);
  // what a server needs for its first start is not in its environment any more
  const inside = (file: string) => stack.compose('exec', '-T', 'postgres', 'cat', file);
  const password = (await inside('/run/secrets/marketing/POSTGRES_PASSWORD')).trim();
  assert.ok(password.length > 20);
  assert.equal((await inside('/proc/1/environ')).includes(password), false);
});

test('it refuses to start on a data folder that is unexpectedly empty', async () => {
  await stack.compose('stop', 'api', 'postgres');
  await stack.compose(
    'run',
    '--rm',
    '--no-deps',
    '-T',
    '--entrypoint',
    'bash',
    'postgres',
    '-c',
    'mv /var/lib/postgresql/18 /var/lib/postgresql/lost',
  );
  await assert.rejects(stack.compose('up', '-d', '--wait', '--wait-timeout', '15'));
  assert.match(
    await stack.compose('logs', '--tail', '20', 'postgres'),
    /is empty, but this stack has stored data before/,
  );
  await stack.compose('stop', 'postgres');
  await stack.compose(
    'run',
    '--rm',
    '--no-deps',
    '-T',
    '--entrypoint',
    'bash',
    'postgres',
    '-c',
    'mv /var/lib/postgresql/lost /var/lib/postgresql/18',
  );
  await stack.up();
});

test('while the database hangs leads are kept; the watchdog restarts the database, and not the API that keeps them', async () => {
  const { State } = await stack.inspect('api');
  // the processes of its connections too: those would go on answering
  const processes = await stack.command('docker', ['top', stack.container('postgres'), '-eo', 'pid']);
  for (const pid of processes.match(/\d+/g) ?? []) process.kill(Number(pid), 'SIGSTOP');
  const sick = async (service: string) => (await stack.inspect(service)).State.Health.Status === 'unhealthy';
  for (const service of ['api', 'postgres']) await eventually(`${service} is sick`, 90, () => sick(service));
  const lead = { email: 'eve@example.com', anonId: 'eve-browser-1', path: '/', formName: 'newsletter' };
  assert.equal((await stack.call('POST', '/v1/leads/capture', lead)).status, 200);
  const { said } = await stack.attempt('watchdog');
  assert.match(said, /postgres is unhealthy: restarting it/);
  assert.equal((await stack.inspect('api')).State.StartedAt, State.StartedAt);
  await eventually(
    'the lead lies in the database',
    60,
    async () => (await stack.sql("select count(*) from leads where email = 'eve@example.com'")) === '1',
  );
  await eventually('all is well', 60, async () => (await stack.healthy('api')) && stack.healthy('postgres'));
});

test('a container that hangs is restarted by the watchdog, one that is well is left alone', async () => {
  await stack.script('watchdog');
  const { State } = await stack.inspect('caddy');
  assert.equal(State.Status, 'running');
  const since = State.StartedAt;
  // stopped, it neither ends nor answers
  process.kill(State.Pid, 'SIGSTOP');
  try {
    await eventually(
      'caddy is seen as unhealthy',
      150,
      async () => (await stack.inspect('caddy')).State.Health.Status === 'unhealthy',
    );
  } finally {
    await stack.script('watchdog');
  }
  await eventually('caddy is well again', 60, () => stack.healthy('caddy'));
  assert.notEqual((await stack.inspect('caddy')).State.StartedAt, since);
  assert.equal((await stack.call('GET', '/v1/healthz')).status, 200);
});

// The gate in front of both doors of a capture: limits, Turnstile's answer, haste.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { address } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { captureLimits } from './limits.ts';

let server: TestServer;
let judge: Server;
let asked: URLSearchParams[] = [];
before(async () => {
  // stands for Cloudflare: "good" passes, anything else does not; "broken" finds it out of order
  judge = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const form = new URLSearchParams(text);
      asked.push(form);
      if (form.get('response') === 'broken') response.writeHead(500).end('oops');
      else
        response.end(
          JSON.stringify({ success: form.get('response') === 'good' && form.get('secret') === 'the secret' }),
        );
    });
  });
  await new Promise<void>((done) => judge.listen(0, '127.0.0.1', done));
  const { port } = judge.address() as AddressInfo;
  server = await startServer({
    TURNSTILE_SECRET: 'the secret',
    TURNSTILE_VERIFY_URL: `http://127.0.0.1:${port}/siteverify`,
  });
});
after(async () => {
  await server.end();
  judge.close();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const capture = (body: Record<string, unknown>) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { anonId: `visitor-${randomUUID()}`, ...body });
const form = (fields: Record<string, string>) =>
  call(`${server.url}/v1/leads/capture`, 'POST', new URLSearchParams(fields).toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
const isLead = async (email: string) =>
  (await rows('select from leads where email_normalized = $1', [email])).length === 1;
const reasons = async (email: string) =>
  (await rows('select reasons from quarantine where email_normalized = $1', [email]))[0]?.reasons;

test('a good answer to the challenge passes, a wrong one waits, on both doors', async () => {
  asked = [];
  const [json, plain, wrong, wrongPlain] = [address(), address(), address(), address()];
  assert.equal((await capture({ email: json, challengeToken: 'good' })).status, 200);
  assert.equal((await form({ email: plain, 'cf-turnstile-response': 'good' })).status, 303);
  assert.equal((await capture({ email: wrong, challengeToken: 'forged' })).status, 200);
  assert.equal((await form({ email: wrongPlain, 'cf-turnstile-response': 'forged' })).status, 303);
  assert.deepEqual(
    [await isLead(json), await isLead(plain), await isLead(wrong), await isLead(wrongPlain)],
    [true, true, false, false],
  );
  assert.deepEqual(await reasons(wrong), ['failed_challenge']);
  assert.deepEqual(await reasons(wrongPlain), ['failed_challenge']);
  assert.equal(asked.length, 4);
  assert.equal(asked[0]!.get('remoteip'), '127.0.0.1');
});

test('a form without JavaScript cannot answer the challenge and is taken; a judge out of order costs nobody their lead', async () => {
  const [silent, broken] = [address(), address()];
  await form({ email: silent });
  await capture({ email: broken, challengeToken: 'broken' });
  assert.deepEqual([await isLead(silent), await isLead(broken)], [true, true]);
});

test('a form sent in haste waits', async () => {
  const { body } = await call(`${server.url}/v1/leads/form-token`);
  const email = address();
  await capture({ email, formToken: body.formToken, challengeToken: 'good' });
  assert.deepEqual(await reasons(email), ['too_fast']);
});

test('a network has its limit; beyond those of a site and of an address a form waits', () => {
  const limits = captureLimits(true);
  let taken = 0;
  for (let host = 0; host < 300; host += 1)
    try {
      limits.take(`192.0.2.${host % 250}`);
      taken += 1;
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'rate_limited');
      assert.ok((error as { retryAfterSeconds: number }).retryAfterSeconds > 0);
    }
  assert.equal(taken, 240);
  for (const spelt of ['2001:db8:7::1', '2001:0db8:7:1::2']) limits.take(spelt);
  const signs = (siteId: string, hash: string, times: number) =>
    Array.from({ length: times }, () => limits.tooMany(siteId, hash, undefined)).at(-1);
  assert.deepEqual(signs('one', 'ada', 30), []);
  assert.deepEqual(signs('one', 'ada', 1), ['too_many_for_address']);
  assert.deepEqual(signs('one', 'bob', 1), []);
  for (let n = 0; n < 1300; n += 1) limits.tooMany('two', `somebody ${n}`, undefined);
  assert.deepEqual(signs('two', 'eve', 1), ['too_many_for_site']);
  assert.deepEqual(signs('one', 'eve', 1), [], 'another site is another');
});

test('sixty addresses that fill a site’s minute close its form for nobody: the next person waits in quarantine', async () => {
  const crowded = await startServer({ RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1' });
  try {
    const post = (from: string, email: string) =>
      call(
        `${crowded.url}/v1/leads/capture`,
        'POST',
        { email, anonId: `visitor-${email}` },
        { 'x-real-ip': from },
      );
    const { siteId } = crowded.services.sites.fallback();
    for (let n = 0; n < 1200; n += 1)
      crowded.services.leads.captureLimits.tooMany(siteId, `somebody ${n}`, undefined);
    const email = address();
    assert.equal((await post('203.0.113.9', email)).status, 200);
    const { rows: waiting } = await crowded.database.owner.query(
      'select reasons from quarantine where email_normalized = $1',
      [email],
    );
    assert.deepEqual(waiting, [{ reasons: ['too_many_for_site'] }]);
  } finally {
    await crowded.end();
  }
});

test('a client has 24 captures a minute; then a form shows a page and JSON says when to come back', async () => {
  const limited = await startServer({ RATE_LIMITS: 'on' });
  try {
    const post = (headers: Record<string, string>, body: unknown) =>
      call(`${limited.url}/v1/leads/capture`, 'POST', body, headers);
    const statuses: number[] = [];
    for (let i = 0; i < 26; i += 1)
      statuses.push((await post({}, { email: address(), anonId: `visitor-${i}-of-many` })).status);
    assert.deepEqual(new Set(statuses.slice(0, 24)), new Set([200]));
    assert.deepEqual(statuses.slice(24), [429, 429]);
    const page = await post(
      { 'content-type': 'application/x-www-form-urlencoded' },
      'email=ada%40example.com',
    );
    assert.equal(page.status, 429);
    assert.match(page.headers.get('content-type')!, /html/);
    assert.ok(Number(page.headers.get('retry-after')) > 0);
  } finally {
    await limited.end();
  }
});

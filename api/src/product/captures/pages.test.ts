// Whatever goes wrong, a person who pressed a button sees a page.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { PEPPER } from '../../../test/cluster.ts';
import { type Answer, call, startServer, type TestServer } from '../../../test/server.ts';
import { makeApp } from '../../app.ts';
import { readConfig } from '../../config.ts';
import { FEATURES } from '../../features.ts';
import { makeMeters } from '../../ground/http/meters.ts';
import { LIMITS } from '../../ground/http/rate-limit.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { linkToken } from '../consent/link.ts';

let server: TestServer;
before(async () => {
  server = await startServer({ RATE_LIMITS: 'on' });
});
after(() => server.end());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const isPage = (answer: Answer, status: number, words: RegExp) => {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(answer.body, words);
  assert.match(answer.body, /<html lang="en">/);
};

test('a refused form or link is answered by a page, a refused script by JSON', async () => {
  const site = server.services.sites.fallback().siteId;
  const unsubscribe = `${server.url}/v1/unsubscribe/${linkToken(site, 'x'.repeat(32))}`;
  isPage(await call(unsubscribe, 'POST', 'x'.repeat(5000), FORM), 413, /could not be done/);
  isPage(await call(unsubscribe, 'PUT', '', {}), 405, /could not be done/);
  isPage(await call(`${server.url}/v1/confirm/nonsense`), 404, /does not work/);
  const capture = `${server.url}/v1/leads/capture`;
  isPage(await call(capture, 'POST', `a=${'x'.repeat(20_000)}`, FORM), 413, /could not be sent/);
  isPage(await call(capture, 'POST', 'propertyId=nobody&email=ada%40example.com', FORM), 400, /propertyId/);
  isPage(await call(`${server.url}/v1/leads/unsubscribe`, 'POST', 'email=ada', FORM), 400, /email address/);
  const back = await call(capture, 'POST', 'propertyId=nobody&email=ada%40example.com', {
    ...FORM,
    referer: 'https://elsewhere.example/',
  });
  assert.doesNotMatch(back.body, /elsewhere/, 'no link to where a request claims to come from');
  const json = await call(capture, 'POST', { email: 'ada' });
  assert.deepEqual([json.status, json.body.error], [400, 'invalid_request']);

  for (let i = 0; i < LIMITS.other; i += 1) await call(unsubscribe);
  const tooMany = await call(unsubscribe);
  isPage(tooMany, 429, /Please wait/);
  assert.ok(Number(tooMany.headers.get('retry-after')) > 0);
  for (let i = 0; i < LIMITS.unsubscribe; i += 1)
    await call(`${server.url}/v1/leads/unsubscribe`, 'POST', 'email=ada', FORM);
  isPage(
    await call(`${server.url}/v1/leads/unsubscribe`, 'POST', 'email=ada', FORM),
    429,
    /Please wait a moment/,
  );
});

test('every route whose answers people look at is known while the service starts', () => {
  const byPlace = (one: { at: string; tells?: string | undefined }) => `${one.tells} ${one.at}`;
  assert.deepEqual(
    FEATURES.flatMap(({ tells = [] }) => tells)
      .map(byPlace)
      .sort(),
    server.routes
      .filter(({ tells }) => tells)
      .map(byPlace)
      .sort(),
  );
});

test('while the service starts, people are asked to wait by a page', async () => {
  const log = makeLog('silent');
  const config = readConfig({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', IP_HASH_PEPPER: PEPPER });
  const { koa } = makeApp({ config, log, meters: makeMeters(), version: 'x', features: FEATURES });
  const starting = createServer(koa.callback());
  await new Promise<void>((done) => starting.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(starting.address() as AddressInfo).port}`;
  try {
    isPage(await call(`${url}/v1/unsubscribe/${'x'.repeat(54)}`), 503, /Please wait a moment/);
    const form = await call(`${url}/v1/leads/capture`, 'POST', 'email=ada%40example.com', FORM);
    isPage(form, 503, /what you typed is still there/);
    assert.ok(Number(form.headers.get('retry-after')) > 0);
    assert.equal((await call(`${url}/v1/leads/capture`, 'POST', {})).body.error, 'unavailable');
  } finally {
    starting.closeAllConnections();
    starting.close();
  }
});

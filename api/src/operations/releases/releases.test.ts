// A newer release is noticed only where somebody wants it, and only the place the image came from is asked.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { readConfig } from '../../config.ts';
import { lookForRelease } from './feature.ts';
import { newestOver, repositoryOf, tagsOf } from './registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'releases-test-'));
let asked: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};
const server = createServer((request, response) => {
  asked.push(request.url!);
  answer(request, response);
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
});
const tells = (...tags: string[]) => {
  answer = (_request, response) => response.end(JSON.stringify({ name: 'x', tags }));
};
const config = (settings: Record<string, string>) =>
  readConfig({
    DATABASE_URL: 'postgres://a@b/c',
    IP_HASH_PEPPER: 'sixteen characters',
    DATA_DIR: folder,
    APP_VERSION: '1.2.0',
    IMAGE: `${host}/acme/marketing-api:1.2.0`,
    ...settings,
  });

test('the highest whole release that is newer is found, whatever else is tagged', () => {
  assert.equal(newestOver('1.2.0', ['1.10.0', '1.9.9', 'latest', '2.0.0-rc.1', '1.2.0', 'v1.3.0']), '1.10.0');
  for (const none of [[], ['1.2.0', '1.1.9', 'latest', '1.3']]) assert.equal(newestOver('1.2.0', none), null);
  assert.equal(newestOver('dev', ['9.9.9']), null, 'who can say what a build of one’s own is older than');
});

test('an image says where it comes from', () => {
  assert.deepEqual(repositoryOf('ghcr.io/acme/marketing-api:1.0.0'), {
    registry: 'https://ghcr.io',
    name: 'acme/marketing-api',
  });
  assert.deepEqual(repositoryOf('acme/marketing-api'), {
    registry: 'https://registry-1.docker.io',
    name: 'acme/marketing-api',
  });
  assert.deepEqual(repositoryOf('reg.example.com:5000/m@sha256:00'), {
    registry: 'https://reg.example.com:5000',
    name: 'm',
  });
  assert.equal(repositoryOf('marketing-api:dev'), null);
});

test('nobody is asked unless it is wanted; then each newer release is told once', async () => {
  tells('1.2.0', '1.3.0');
  assert.deepEqual(await lookForRelease(config({})), { asked: false });
  assert.deepEqual(asked, []);
  const told: string[] = [];
  const hook = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    told.push(JSON.parse(body).text);
    response.end();
  });
  await new Promise<void>((done) => hook.listen(0, '127.0.0.1', done));
  after(() => hook.close());
  const on = config({
    RELEASE_NOTICE: 'true',
    ALERT_WEBHOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`,
  });
  for (let day = 0; day < 2; day++)
    assert.deepEqual(await lookForRelease(on), { asked: true, newer: '1.3.0' });
  assert.equal(told.length, 1);
  assert.match(told[0]!, /NOTICE .*release 1\.3\.0 is there, this is 1\.2\.0/);
  const own = await lookForRelease(config({ RELEASE_NOTICE: 'true', IMAGE: 'marketing-api:dev' }));
  assert.match(JSON.stringify(own), /names no registry/);
});

test('a registry’s pages are read to their end, with the token that it gives itself', async () => {
  answer = (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, `http://${host}`);
    if (pathname === '/token') return response.end(JSON.stringify({ token: searchParams.get('scope') }));
    if (request.headers.authorization !== 'Bearer repository:acme/m:pull') {
      const realm = `Bearer realm="http://${host}/token",service="s",scope="repository:acme/m:pull"`;
      return response.writeHead(401, { 'www-authenticate': realm }).end();
    }
    const last = searchParams.get('last');
    const link = last ? {} : { link: '</v2/acme/m/tags/list?n=1000&last=1.0.0>; rel="next"' };
    return response.writeHead(200, link).end(JSON.stringify({ tags: [last ? '2.0.0' : '1.0.0'] }));
  };
  assert.deepEqual(await tagsOf(repositoryOf(`${host}/acme/m:1`)!), ['1.0.0', '2.0.0']);
});

test('another place is never asked, not even for a token', async () => {
  answer = (_request, response) =>
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="https://tokens.example.com/t"' }).end();
  await assert.rejects(tagsOf(repositoryOf(`${host}/acme/m:1`)!), /another place gives; it is not asked/);
  answer = (_request, response) => response.writeHead(302, { location: 'https://example.com/' }).end();
  await assert.rejects(tagsOf(repositoryOf(`${host}/acme/m:1`)!));
});

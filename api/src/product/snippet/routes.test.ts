// How the script is served, and how large it may be.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import Koa from 'koa';
import { mountRoutes } from '../../../test/routes.ts';
import { weights } from './build.ts';
import { ensureSnippet, snippetRoutes } from './routes.ts';

const server = createServer();
let url: string;

before(async () => {
  await ensureSnippet();
  server.on('request', mountRoutes(new Koa(), snippetRoutes()).callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

const get = (path: string) => fetch(url + path);
/** A request with exactly these headers; fetch adds some of its own, such as no-cache. */
const ask = (path: string, headers: Record<string, string>) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    request(url + path, { headers }, (response) => resolve(response.resume()))
      .on('error', reject)
      .end();
  });

test('the core is at most 1.25 KB, the whole 2.55, the consent control 1 and notifications 5, minified and gzipped', async () => {
  for (const [path, kilobytes] of [
    ['/s-core.js', 1.25],
    ['/s.js', 2.55],
    ['/consent.js', 1],
  ] as const) {
    const script = Buffer.from(await (await get(path)).arrayBuffer());
    const bytes = gzipSync(script, { level: 9 }).length;
    assert.ok(bytes <= kilobytes * 1024, `${path} takes ${bytes} bytes`);
    assert.ok(bytes > 500, 'it is there at all');
  }
  const weigh = async (path: string) =>
    gzipSync(Buffer.from(await (await get(path)).arrayBuffer()), { level: 9 }).length;
  const { proof } = (await (await get('/s.json')).json()) as { proof: { path: string } };
  const [starter, rest] = [await weigh('/p.js'), await weigh(proof.path)];
  for (const path of ['/p.js', '/s.js'])
    assert.ok((await (await get(path)).text()).includes(proof.path.slice(1)), `${path} fetches the rest`);
  assert.ok(starter > 100 && starter <= 256 && rest > 500, `${starter} before the page is loaded`);
  assert.ok(starter + rest <= 5 * 1024, `together ${starter + rest} bytes`);
});

test('the README says what each part weighs, as the build measures it', async () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const cells = (table: string) =>
    [...table.matchAll(/^\| (.*?) +\| (\d+) +\|$/gm)].map(([, part, bytes]) => `${part!.trim()} ${bytes}`);
  const measured = cells(await weights());
  assert.equal(measured.length, 8);
  assert.deepEqual(cells(readme.slice(readme.indexOf('## What it weighs'))), measured);
});

test('the short address is kept for minutes and revalidated by its tag', async () => {
  const first = await get('/s.js');
  assert.equal(first.status, 200);
  assert.match(first.headers.get('content-type')!, /^text\/javascript/);
  assert.match(first.headers.get('cache-control')!, /max-age=600\b/);
  assert.equal(first.headers.get('access-control-allow-origin'), '*');
  const again = await ask('/s.js', { 'if-none-match': first.headers.get('etag')! });
  assert.equal(again.statusCode, 304);
});

test('the versioned address never changes and matches its integrity', async () => {
  const told = (await (await get('/s.json')).json()) as Record<string, { path: string; integrity: string }>;
  for (const name of ['full', 'core', 'consent', 'proof']) {
    const { path, integrity } = told[name]!;
    assert.match(path, name === 'proof' ? /^\/p\/[0-9a-f]{16}\.js$/ : /^\/s\/[0-9a-f]{16}\.js$/);
    const response = await get(path);
    assert.match(response.headers.get('cache-control')!, /immutable/);
    const text = Buffer.from(await response.arrayBuffer());
    assert.equal(integrity, `sha384-${createHash('sha384').update(text).digest('base64')}`);
  }
  assert.equal((await get('/s/0000000000000000.js')).status, 404);
  assert.equal((await get('/s/..%2froutes.ts')).status, 404);
});

test('a browser gets the script compressed as it asked', async () => {
  const encoding = async (accept: string) => {
    const { headers } = await ask('/s.js', { 'accept-encoding': accept });
    return [headers['content-encoding'], headers.vary];
  };
  assert.deepEqual(await encoding('gzip, deflate, br'), ['br', 'Accept-Encoding']);
  assert.deepEqual(await encoding('gzip'), ['gzip', 'Accept-Encoding']);
  assert.deepEqual(await encoding('identity'), [undefined, 'Accept-Encoding']);
});

test('the appliance’s files hold what each path of /s.json names, with that integrity, and what stands at the short names', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'marketing-static-'));
  try {
    symlinkSync(fileURLToPath(new URL('../../', import.meta.url)), join(folder, 'src'));
    await promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('../../../container/static-files.ts', import.meta.url))],
      { cwd: folder },
    );
    const at = (path: string) => readFileSync(join(folder, 'public', path));
    const { ok: _, ...named } = (await (await get('/s.json')).json()) as Record<
      string,
      { path: string; integrity: string }
    >;
    const versions = Object.values(named);
    assert.equal(versions.length, 4);
    for (const { path, integrity } of versions)
      assert.equal(`sha384-${createHash('sha384').update(at(path)).digest('base64')}`, integrity, path);
    for (const path of ['/s.js', '/s-core.js', '/consent.js', '/p.js'])
      assert.equal(at(path).toString(), await (await get(path)).text(), path);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

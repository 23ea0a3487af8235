// Caddy's bounds of bodies fit the routes'.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { pathOf } from '../src/ground/http/route.ts';
import { startServer, type TestServer } from './server.ts';

const CADDYFILE = readFileSync(new URL('../../caddy/Caddyfile', import.meta.url), 'utf8');

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

test('a body that a route takes passes Caddy, whose large bound is for those routes alone', () => {
  const [small, large] = ['small', 'large'].map((name) => {
    const [, megabytes, kilobytes] = new RegExp(
      `request_body @${name} \\{\\s*max_size (?:(\\d+)MB|(\\d+)KB)`,
    ).exec(CADDYFILE)!;
    return megabytes ? Number(megabytes) * 1_000_000 : Number(kilobytes) * 1000;
  }) as [number, number];
  const paths = [...CADDYFILE.matchAll(/^\s*(?:path|not path) (\/v1\/leads\/import.*)$/gm)].map(
    ([, list]) => list!,
  );
  assert.equal(paths.length, 2);
  assert.equal(paths[0], paths[1], 'what is large is not small');
  const patterns = paths[0]!.split(' ').map((path) => new RegExp(`^${path.replaceAll('*', '.*')}$`));
  const isLarge = (path: string) => patterns.some((pattern) => pattern.test(path));
  const bounds = server.routes.map((route) => ({
    path: pathOf(route),
    bytes: Math.max(route.takes?.bytesMax ?? 0, route.takes?.filesBytesMax ?? 0),
  }));
  assert.deepEqual(
    bounds.filter(({ path, bytes }) => bytes > (isLarge(path) ? large : small)),
    [],
    'Caddy would refuse these',
  );
  const needed = patterns.filter((pattern) =>
    bounds.some(({ path, bytes }) => pattern.test(path) && bytes > small),
  );
  assert.deepEqual(patterns, needed, 'no larger than a route needs');
});

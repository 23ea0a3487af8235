// What Caddy says for itself fits the routes: bounds of bodies, and the headers of the dashboard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { BEAT_MS, LIFE_MS } from '../src/ground/http/event-stream.ts';
import { pathOf } from '../src/ground/http/route.ts';
import { PAGE_HEADERS } from '../src/product/dashboard/routes.ts';
import { REQUEST_MS_MAX } from '../src/serve.ts';
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

test('the largest body comes through from a line of a megabit, node waits longer than Caddy, and a stream ends before it is cut', () => {
  const secondsOf = (name: string) => {
    const [, count, unit] = new RegExp(`\\b${name} (\\d+)(s|m)\\b`).exec(CADDYFILE)!;
    return Number(count) * (unit === 'm' ? 60 : 1);
  };
  const largest = Math.max(
    ...server.routes.map(({ takes }) => Math.max(takes?.bytesMax ?? 0, takes?.filesBytesMax ?? 0)),
  );
  assert.ok(secondsOf('read_body') * 125_000 >= largest, `${largest} bytes`);
  assert.ok(REQUEST_MS_MAX > secondsOf('read_body') * 1000);
  assert.ok(LIFE_MS + BEAT_MS < secondsOf('write') * 1000);
});

test('Caddy gives the dashboard the headers that the API gives it where there is no Caddy', () => {
  const [, block = ''] = /handle @dashboard \{([\s\S]*?)\n\t\}\n/.exec(CADDYFILE)!;
  for (const [name, value] of Object.entries(PAGE_HEADERS)) {
    const [, told] = new RegExp(`^\\s*${name} "?(.*?)"?$`, 'm').exec(block) ?? [];
    assert.equal(told, value, name);
  }
});

test('who may frame a shared view is the API’s to say, and anybody the feed: Caddy serves no page there, and forbids frames everywhere else', () => {
  const [, matcher = ''] = /@dashboard \{([\s\S]*?)\n\t\}\n/.exec(CADDYFILE)!;
  assert.match(matcher, /^\s*path \/app \/app\/\*$/m);
  assert.match(matcher, /^\s*not path \/app\/embed\/\*$/m);
  const [, unframed] = /^\t@unframed (.*)$/m.exec(CADDYFILE)!;
  assert.equal(unframed, 'not path /app/embed/* /v1/feed.html');
  const said = CADDYFILE.split('\n').filter((line) => /^\s*header .*X-Frame-Options/.test(line));
  assert.deepEqual(
    said.map((line) => line.trim()),
    ['header @unframed ?X-Frame-Options DENY', 'header @unframed_away ?X-Frame-Options DENY'],
    'the second is that of its own refusals',
  );
  assert.match(
    CADDYFILE,
    /handle_errors \{[\s\S]*\t\t@unframed_away not path \/v1\/feed\.html\n\t\theader @unframed_away \?X-Frame-Options DENY/,
  );
});

test('a framed feed that Caddy refuses by itself is as empty as what the API refuses, and loads itself again as soon', async () => {
  const [, errors = ''] = /\thandle_errors \{([\s\S]*?)\n\t\}\n/.exec(CADDYFILE)!;
  assert.match(errors, /^\s*@framed path \/v1\/feed\.html$/m);
  const [, block = ''] = /handle @framed \{([\s\S]*?)\n\t\t\}\n/.exec(errors)!;
  // before every other answer: the first that fits holds
  assert.ok(errors.indexOf('handle @framed') < errors.indexOf('handle @html'));
  const refused = await fetch(`${server.url}/v1/feed.html?site=nobodys`, {
    headers: { accept: 'text/html' },
  });
  const [, seconds] = /^\s*header Refresh (\d+)$/m.exec(block)!;
  const [, type] = /^\s*header Content-Type "(.*)"$/m.exec(block)!;
  const [, body] = /^\s*respond "(.*)" \{err\.status_code\}$/m.exec(block)!;
  assert.deepEqual(
    [seconds, type, body],
    [refused.headers.get('refresh'), refused.headers.get('content-type'), await refused.text()],
  );
});

// Holds the documentation to the code: links, scripts, files, routes, settings, alarms and release numbers that it names exist.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settings } from '../src/config.ts';
import { FEATURES } from '../src/features.ts';
import { RULES as MACHINE_RULES } from '../src/operations/alerts/rules.ts';

const RULES = [
  ...MACHINE_RULES,
  ...FEATURES.flatMap((feature) => feature.readings ?? []).flatMap((one) => one.rules ?? []),
];

import { call, startServer } from './server.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));
const pages = globSync(['*.md', 'docs/**/*.md', 'api/*.md', 'api/src/**/*.md'], { cwd: top }).sort();
const textOf = (page: string) => readFileSync(join(top, page), 'utf8');
/** Without blocks of code, in which a bracket is no link. */
const proseOf = (page: string) => textOf(page).replace(/^ *```[\s\S]*?^ *```/gm, '');

/** The anchors a page offers, made from its headings as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(page).matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let unique = anchor;
    for (let again = 1; anchors.has(unique); again++) unique = `${anchor}-${again}`;
    anchors.add(unique);
  }
  return anchors;
}

/** What of a page's text a pattern finds, each once: "docs/api.md: what". */
const named = (text: (page: string) => string, pattern: RegExp): { page: string; what: string }[] =>
  pages.flatMap((page) =>
    [...new Set([...text(page).matchAll(pattern)].map((match) => match[1]!))].map((what) => ({ page, what })),
  );

const missing = (
  found: { page: string; what: string }[],
  isThere: (what: string, page: string) => boolean,
) => {
  assert.ok(found.length > 0, 'nothing was found to check');
  return found.filter(({ page, what }) => !isThere(what, page)).map(({ page, what }) => `${page}: ${what}`);
};

test('every link between pages leads somewhere, down to the heading', () => {
  const links = named(proseOf, /\]\(([^)\s]+)\)/g).filter(({ what }) => !/^[a-z]+:/.test(what));
  const leadsSomewhere = (link: string, page: string) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? join(top, page) : resolve(top, dirname(page), file);
    if (!existsSync(target)) return false;
    return (
      anchor === undefined || (statSync(target).isFile() && anchorsOf(relative(top, target)).has(anchor))
    );
  };
  assert.deepEqual(missing(links, leadsSomewhere), []);
});

test('every script and every file of the code that a page names is there', () => {
  const scripts = named(textOf, /(?<![\w/])(?:\.\.\/)?(scripts\/[\w.-]*\w)/g);
  assert.deepEqual(
    missing(scripts, (script) => existsSync(join(top, script))),
    [],
  );
  const files = named(textOf, /`((?:api\/|src\/|test\/|container\/|\.ci\/|migrations\/)[\w./-]*\w)/g);
  const isThere = (file: string) => existsSync(join(top, file)) || existsSync(join(top, 'api', file));
  assert.deepEqual(missing(files, isThere), []);
});

test('every command of npm that a page names is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(top, 'api/package.json'), 'utf8'));
  const commands = named(textOf, /npm run ([a-z][\w:-]*)/g);
  assert.deepEqual(
    missing(commands, (command) => command in scripts),
    [],
  );
});

test('every route that a page names is in the OpenAPI document that is served, with that method', async () => {
  const server = await startServer();
  const { body } = await call(`${server.url}/v1/openapi.json`);
  await server.end();
  const shapes = Object.entries(body.paths as Record<string, object>).map(([path, operations]) => ({
    shape: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    methods: Object.keys(operations),
  }));
  const isThere = (route: string) => {
    const [, method, path = ''] = /^(?:([A-Z]+) )?([^?]*)/.exec(route) ?? [];
    return shapes.some(
      ({ shape, methods }) => shape.test(path) && (!method || methods.includes(method.toLowerCase())),
    );
  };
  const routes = named(textOf, /`((?:(?:GET|POST|PUT|PATCH|DELETE) )?\/v1\/[\w/{}.-]*\w[}]?)[`?]/g);
  const called = named(textOf, /(?:https:\/\/[\w.]*example\.com)(\/v1\/[\w/.$-]*\w)/g);
  assert.ok(called.length > 3);
  assert.deepEqual(missing([...routes, ...called], isThere), []);
});

test('every setting that a page names is one, and every setting stands in .env.example', () => {
  const example = readFileSync(join(top, '.env.example'), 'utf8');
  const ours = new Set([...example.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]!));
  assert.deepEqual(
    Object.keys(settings.shape).filter((name) => !ours.has(name)),
    [],
  );
  // those of scripts/start, the build and long tests, which no operator writes into .env
  for (const name of [
    'APPLIANCE_SEED',
    'BENCH_SECONDS',
    'DEMO_PORT',
    'DOCKER_BUILDKIT',
    'DOCKER_DEFAULT_PLATFORM',
    'LEAD_FACTS',
    'TEST_BASH',
    'OUTAGE_MS',
    'UPGRADE_TIMEOUT',
  ])
    ours.add(name);
  const inPages = named(textOf, /`([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])[`=]/g);
  const isOurs = (name: string) => ours.has(name.replace(/_FILE$/, '')) || name === 'NAME_FILE';
  assert.deepEqual(missing(inPages, isOurs), []);
});

test('the page about running it names every alarm', () => {
  const running = textOf('docs/running.md');
  assert.deepEqual(
    RULES.filter(({ id }) => !running.includes(id)).map(({ id }) => id),
    [],
  );
});

test('every decision stands in the list of decisions, under sixty lines, saying what would change it', () => {
  const list = textOf('docs/decisions/README.md');
  const decisions = pages.filter((page) => /^docs\/decisions\/\d{4}-/.test(page));
  assert.ok(decisions.length > 0);
  for (const page of decisions) {
    const text = textOf(page);
    assert.ok(list.includes(`(${page.slice('docs/decisions/'.length)})`), page);
    assert.ok(text.split('\n').length <= 61, page);
    for (const part of ['## What\n', '## Why\n', '## What would change our mind\n'])
      assert.ok(text.includes(part), `${page}: ${part}`);
  }
});

test('the README and cloud-init.yaml install the release that package.json is', () => {
  const { version } = JSON.parse(readFileSync(join(top, 'api/package.json'), 'utf8'));
  assert.ok(
    textOf('README.md').includes(`VERSION=${version} IMAGE=registry.example.com/marketing-api:${version}`),
  );
  const cloudInit = readFileSync(join(top, 'cloud-init.yaml'), 'utf8');
  assert.match(cloudInit, new RegExp(`^ *IMAGE=\\S+:${version.replaceAll('.', '\\.')}$`, 'm'));
});

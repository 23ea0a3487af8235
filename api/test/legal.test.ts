// Holds the papers for founders (docs/legal) to the code: tables, periods, settings, alarms and commands that they name are those of the product.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { settings as operatorSettings } from '../src/config.ts';
import { FEATURES } from '../src/features.ts';
import { RULES as MACHINE_RULES } from '../src/operations/alerts/rules.ts';
import { privacyShape } from '../src/product/consent/privacy.ts';
import { makeEvent } from './make.ts';
import { admin, call, startServer, type TestServer } from './server.ts';

const folder = fileURLToPath(new URL('../../docs/legal/', import.meta.url));
const papers = globSync('*.md', { cwd: folder }).sort();
const textOf = (paper: string) => readFileSync(join(folder, paper), 'utf8');
const namesIn = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].flatMap((match) => match.slice(1));
const tablesOfAll = () => FEATURES.flatMap(({ tables = {} }) => Object.keys(tables));

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

test('the list of papers names every one of them', () => {
  const list = textOf('README.md');
  assert.deepEqual(
    papers.filter((paper) => paper !== 'README.md' && !list.includes(`](${paper})`)),
    [],
  );
});

test('the records of processing name every table once, and none that is not there', () => {
  const records = textOf('records-of-processing.md');
  const rows = records.split('\n').filter((line) => /^\| tables |^Numbers made of it |^`sites`/.test(line));
  const named = rows.flatMap((line) => namesIn(line, /`([a-z_]+)`/g));
  const tables = tablesOfAll();
  assert.ok(tables.length > 30);
  assert.deepEqual(named.sort(), tables.sort());
});

test('every duty names a test that is there', () => {
  const rows = [...textOf('duties.md').matchAll(/^\| [^|]+ \| [^|]+ \| `([^`]+)` \| ([^|]+) \|$/gm)];
  assert.ok(rows.length > 40);
  const root = fileURLToPath(new URL('../', import.meta.url));
  const missing = rows.filter(([, file, name]) => {
    const tests = readFileSync(join(root, file!), 'utf8').match(/\btest\(\s*(['"`])[^\n]*?\1,/g) ?? [];
    return !tests.some((one) => one.includes(name!));
  });
  assert.deepEqual(
    missing.map(([, file, name]) => `${file}: ${name}`),
    [],
  );
});

test('each fault that was found stands among the duties with what holds it now', () => {
  const [, section = ''] = textOf('duties.md').split('## Where it once gave way');
  const found = namesIn(section, /^\| (\d+) \|/gm).map(Number);
  assert.deepEqual(
    [...new Set(found)],
    Array.from({ length: 19 }, (_, n) => n + 1),
  );
});

/** What a language's text is made of, section by section; the words themselves nobody can compare. */
function shapeOf(paper: string) {
  const [, ...sections] = textOf(paper).split(/^## /m);
  return sections.map((section) => ({
    number: /^\d+/.exec(section)?.[0],
    paragraphs: section.split(/\n\s*\n/).length,
    points: section.match(/^- /gm)?.length ?? 0,
    // "Delete this unless …", and bold beginnings
    optional: section.match(/(?<!\*)\*(?!\*)[^*\n]+\*(?!\*)/g)?.length ?? 0,
    bold: section.match(/\*\*[^*\n]+\*\*/g)?.length ?? 0,
    toFillIn: section.match(/\[[^\]]+\]/g)?.length ?? 0,
    rows: section.match(/^\|/gm)?.length ?? 0,
    figures: namesIn(section, /(?<![\d.])(\d+)(?![\d.])/g).sort(),
    code: namesIn(section, /`([^`]+)`/g),
  }));
}

test('the policy has the same sections, points, blanks and figures in English and in French', () => {
  const english = shapeOf('privacy-policy.en.md');
  assert.ok(english.length > 10);
  assert.deepEqual(shapeOf('privacy-policy.fr.md'), english);
});

test('the periods of the policy are those that the nightly purge goes by', async () => {
  const { body } = await call(`${server.url}/v1/privacy`);
  const enforced = Object.entries(body.retention as Record<string, number>).map(([name, period]) => {
    const [, unit = ''] = /(Days|Months|Years)$/.exec(name) ?? [];
    return `${period} ${unit.toLowerCase()}`;
  });
  enforced.push(`${body.dayVisitors.saltHours / 24} days`);
  const inEnglish: Record<string, string> = { jours: 'days', mois: 'months', ans: 'years' };
  for (const paper of ['privacy-policy.en.md', 'privacy-policy.fr.md']) {
    const told = [...textOf(paper).matchAll(/\| (\d+) ([a-z]+) \|$/gm)].map(
      ([, period, unit = '']) => `${period} ${inEnglish[unit] ?? unit}`,
    );
    assert.deepEqual(told.sort(), enforced.sort(), paper);
  }
});

test('a period that a paper gives for a setting is its default', () => {
  const told = papers.flatMap((paper) =>
    [...textOf(paper).matchAll(/(\d+) (?:days|months)\s+\(`([A-Z_]+)`/g)].map(([, period, name = '']) => ({
      paper,
      name,
      period: Number(period),
    })),
  );
  assert.ok(told.length >= 3);
  const defaults: Record<string, z.ZodType> = operatorSettings.shape;
  for (const { paper, name, period } of told)
    assert.equal(period, defaults[name]?.parse(undefined), `${paper}: ${name}`);
});

test('the policy tells of everybody who may receive something', () => {
  const recipients = [...privacyShape.shape.recipients.element.options];
  const words: Record<(typeof recipients)[number], RegExp> = {
    mail_server: /\*\*(Mail|Courriel)/,
    turnstile: /(network address\s+as it is|adresse réseau\s+telle quelle)/,
    backup_storage: /\*\*(Backups|Sauvegardes)/,
    archive_storage: /\*\*(Archive of visits|Archives des visites)/,
    own_systems: /\*\*(Other systems of ours|D'autres systèmes à nous)/,
    site_visitors: /\*\*(Visitors of our site|Les visiteurs de notre site)/,
  };
  assert.deepEqual(recipients.sort(), Object.keys(words).sort());
  for (const paper of ['privacy-policy.en.md', 'privacy-policy.fr.md'])
    for (const recipient of recipients) assert.match(textOf(paper), words[recipient], paper);
});

test('every setting of a site and every alarm that a paper names is one', async () => {
  const { body } = await call(`${server.url}/v1/openapi.json`);
  const settings = Object.keys(body.components.schemas.SiteSettings.properties);
  const named = papers.flatMap((paper) => {
    const lists = namesIn(textOf(paper), /\bsite\s+settings?((?:\s*(?:,|and)?\s*`\w+`)+)/g);
    return lists.flatMap((list) => namesIn(list, /`(\w+)`/g));
  });
  assert.ok(named.length > 8);
  assert.deepEqual(
    named.filter((name) => !settings.includes(name)),
    [],
  );
  const rules = [
    ...MACHINE_RULES,
    ...FEATURES.flatMap(({ readings = [] }) => readings).flatMap((one) => one.rules ?? []),
  ];
  const tables = tablesOfAll();
  const rung = papers
    .flatMap((paper) => namesIn(textOf(paper), /`((?:requests|breach)_\w+)`/g))
    .filter((name) => !tables.includes(name));
  assert.deepEqual(
    [...new Set(rung)].sort(),
    rules
      .map(({ id }) => id)
      .filter((id) => /^(requests|breach)_/.test(id))
      .sort(),
  );
});

/** The calls that a paper's blocks of code make, in their order. */
function commandsOf(paper: string) {
  const blocks = namesIn(textOf(paper), /^ *```\n([\s\S]*?)^ *```/gm);
  const lines = blocks.flatMap((block) => block.replace(/\\\n/g, '').split('\n'));
  return lines
    .map((line) => line.trim())
    .filter((line) => line.startsWith('curl'))
    .map((line) => ({
      line,
      method: /-X (\w+)/.exec(line)?.[1] ?? 'GET',
      path: /https:\/\/api\.example\.com([^\s']+)/.exec(line)?.[1] ?? '',
      body: /-d '([^']*)'/.exec(line)?.[1],
    }));
}

test('every command of the papers does what it is there for', async () => {
  for (const email of ['ada@example.com', 'leaving@example.com'])
    await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: `${email}-browser` });
  for (const anonId of ['ada-browser-1', 'leaving-browser-1'])
    await call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId }));
  const { body: all } = await call(`${server.url}/v1/sites`, 'GET', undefined, admin);
  const known: Record<string, string> = { SITE_ID: all.sites[0].siteId };
  let made = 0;
  for (const paper of ['README.md', 'consent.md', 'breach.md', 'requests.md'])
    for (const { line, method, path, body } of commandsOf(paper)) {
      const filledIn = path.replace(/\$(\w+)/g, (_, name) => known[name] ?? `no ${name} yet`);
      const sent = body === undefined ? undefined : JSON.parse(body);
      const answer = await call(server.url + filledIn, method, sent, admin);
      const where = `${paper}: ${line}: ${answer.status} ${JSON.stringify(answer.body)}`;
      assert.ok(answer.status >= 200 && answer.status < 300, where);
      made += 1;
      known.BREACH_ID ??= answer.body.breach?.breachId;
      known.REQUEST_ID ??= answer.body.request?.requestId;
      if (path === '/v1/leads/search') known.LEAD_ID = answer.body.leads[0].leadId;
      // texts that are recommended must not be ones we warn of; a certificate holds what the paper says it does
      if (path.endsWith('/consent-texts')) assert.deepEqual(answer.body.warnings ?? [], [], where);
      if (path === '/v1/leads/delete')
        for (const field of ['erasureId', 'erasedAt', 'backupsUntil']) assert.ok(answer.body[field], where);
    }
  assert.ok(made > 15, `${made} commands`);
});

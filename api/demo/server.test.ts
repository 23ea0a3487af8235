// The demo site shows what the documentation says: the default page has the README's line to the letter.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startDemo } from './server.ts';

const LINE = /<script async .*<\/script>/;
const lineOf = (text: string) => LINE.exec(text)?.[0];
const readmes = ['../../README.md', '../src/product/snippet/README.md'].map((file) =>
  readFileSync(new URL(file, import.meta.url), 'utf8'),
);

let demo: Awaited<ReturnType<typeof startDemo>>;
before(async () => {
  demo = await startDemo({ port: 0, apiOrigin: 'https://api.example.com' });
});
after(() => demo.close());
const html = async (path: string) => (await fetch(demo.url + path)).text();

test("every page of the demo has the README's line to the letter", async () => {
  for (const path of [
    '/',
    '/bread',
    '/menu',
    '/newsletter',
    '/infolettre',
    '/visit',
    '/thanks',
    '/modes',
    '/nothing',
  ])
    for (const readme of readmes) assert.equal(lineOf(await html(path)), lineOf(readme), path);
});

test('a demo with notifications has the line that asks for them, to the letter', async () => {
  const shows = await startDemo({ port: 0, apiOrigin: 'https://api.example.com', notifications: true });
  try {
    const [line] = /<script async .*data-notifications><\/script>/.exec(readmes[1]!)!;
    assert.equal(lineOf(await (await fetch(shows.url)).text()), line);
    const asking = await (await fetch(`${shows.url}/modes/ask`)).text();
    assert.equal(
      asking.match(/data-notifications><\/script>/g)!.length,
      1,
      'the counter asks, the control does not',
    );
  } finally {
    await shows.close();
  }
});

test('another page shows the other modes, and the line that each takes', async () => {
  for (const mode of ['full', 'page', 'off']) {
    const page = await html(`/modes/${mode}`);
    assert.equal(lineOf(page), lineOf(readmes[0]!)!.replace('></', ` data-consent="${mode}"></`));
    assert.ok(page.includes(`<code>${lineOf(page)!.replaceAll('<', '&lt;')}</code>`));
    assert.ok((await html('/modes')).includes(`href="/modes/${mode}"`));
  }
});

test("the page that asks first has the README's two lines, and a button that opens the question again", async () => {
  const [lines] = /<script defer .*\n<script defer .*<\/script>/.exec(readmes[1]!)!;
  const page = await html('/modes/ask');
  assert.ok(page.replaceAll(/\n +/g, '\n').includes(lines!), page);
  const [button] = /<button type="button" data-mkt-consent>.*<\/button>/.exec(readmes[1]!)!;
  assert.ok(page.includes(button!));
  assert.ok((await html('/modes')).includes('href="/modes/ask"'));
  assert.ok(!(await html('/modes')).includes('data-mkt-consent'));
});

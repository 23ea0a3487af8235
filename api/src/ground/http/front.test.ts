// What is met at /.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const get = (accept: string) => fetch(`${server.url}/`, { headers: { accept } });

test('a person who opens / sees what this is, with links that lead somewhere, and nothing of the installation', async () => {
  const answer = await get('text/html,application/xhtml+xml,*/*;q=0.8');
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type')!, /^text\/html/);
  assert.match(answer.headers.get('vary')!, /Accept/);
  const text = await answer.text();
  assert.match(text, /<h1>It runs<\/h1>/);
  const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, link]) => link!.replaceAll('&amp;', '&'));
  assert.ok(links.length >= 2);
  for (const link of links) assert.equal((await fetch(server.url + link)).status, 200, link);
  assert.doesNotMatch(text, /\d+\.\d+\.\d+|PostgreSQL|Node/);
});

test('the page speaks French to who reads French', async () => {
  const answer = await fetch(`${server.url}/`, {
    headers: { accept: 'text/html', 'accept-language': 'fr-CA' },
  });
  assert.equal(answer.headers.get('content-language'), 'fr');
  assert.match(await answer.text(), /<h1>En service<\/h1>/);
});

test('a program that asks for / gets JSON', async () => {
  for (const accept of ['*/*', 'application/json']) {
    const answer = await get(accept);
    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as { ok: boolean; service: string }).service, 'marketing-api');
  }
});

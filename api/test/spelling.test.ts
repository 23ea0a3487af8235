// A rule belongs to the route that was matched: there is one spelling of each path, so none goes round it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { methodOf, pathOf } from '../src/ground/http/route.ts';
import { admin, call, startServer, type TestServer } from './server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const SPELLINGS: Record<string, (path: string) => string> = {
  'in capitals': (path) => path.replaceAll(/[a-z]+/g, (word) => word.toUpperCase()),
  'with a slash behind it': (path) => `${path}/`,
  'with two slashes in it': (path) => path.replace(/^\//, '//'),
  'with a letter of it encoded': (path) =>
    path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
};

for (const [how, spelt] of Object.entries(SPELLINGS))
  test(`a path ${how} is none of ours, whatever its route may do`, async () => {
    for (const route of server.routes) {
      const path = pathOf(route).replaceAll(/:\w+/g, '0');
      // the front page has no other spelling; /app/ is a route as /app is
      if (path === '/' || spelt(path) === path || server.routes.some((one) => pathOf(one) === spelt(path)))
        continue;
      const { status, body } = await call(`${server.url}${spelt(path)}`, methodOf(route), undefined, admin);
      assert.deepEqual([status, body?.error], [404, 'not_found'], `${methodOf(route)} ${spelt(path)}`);
    }
    const { rows } = await server.database.owner.query('select count(*)::int as lines from audit_log');
    assert.deepEqual(rows, [{ lines: 0 }]);
  });

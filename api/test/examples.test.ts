// Every operation has an example that works: what the other tests that walk the routes stand on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { examplesOf } from './examples.ts';
import { send } from './send.ts';
import { admin, startServer, type TestServer } from './server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from './world.ts';

let server: TestServer;
let bakery: Place;
before(async () => {
  server = await startServer(WORLD_SETTINGS);
  bakery = await makePlace(server, 'bakery');
});
after(() => server.end());

test('every route has an example, and every example a route', () => {
  assert.deepEqual(Object.keys(examplesOf(bakery)).sort(), server.routes.map(({ id }) => id).sort());
});

test('every example is answered with what its route promises, and with no people where it says so', async () => {
  for (const [id, examples] of Object.entries(examplesOf(bakery)))
    for (const example of examples) {
      const route = server.routes.find((one) => one.id === id)!;
      const { status, text } = await send(server, route, example, admin);
      assert.ok(status < 400 && status in route.answers, `${id}: ${status} ${text.slice(0, 300)}`);
      if (route.shows === 'no people')
        assert.ok(!text.includes(bakery.email) && !text.includes(bakery.leadId), id);
    }
});

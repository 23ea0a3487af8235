// How people are invited, given roles at their sites, changed, shut out and deleted (test/matrix.test.ts: who gets in where).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newOwner, type SignedIn, signedIn, signIn, signUpWith, trySignIn } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from '../../../test/world.ts';

const ROLES = ['owner', 'admin', 'analyst', 'viewer', 'privacy'];
const PASSWORD = 'rye, oats and a spoon';

let server: TestServer;
let bakery: Place;
let mill: Place;
const people: Record<string, SignedIn> = {};
before(async () => {
  server = await startServer(WORLD_SETTINGS);
  bakery = await makePlace(server, 'bakery');
  mill = await makePlace(server, 'mill');
  people.owner = await newOwner(server, 'the-owner@people.example', PASSWORD);
  for (const role of ROLES.slice(1)) people[role] = await join(role, ['bakery']);
});
after(() => server.end());

async function invite(
  wanted: Record<string, unknown>,
  by: Record<string, string> = admin,
): Promise<{ status: number; body: { link: string; invitation: Record<string, unknown> } }> {
  return call(`${server.url}/v1/invitations`, 'POST', wanted, by);
}
const tokenIn = (link: string) => link.split('/').at(-1)!;
let joined = 0;
async function join(role: string, sites?: string[], email?: string): Promise<SignedIn> {
  const made = await invite({ role, ...(sites ? { sites } : {}) });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  joined += 1;
  const address = email ?? `${role}-${joined}@people.example`;
  return signedIn(await signUpWith(server, tokenIn(made.body.link), address, PASSWORD));
}
const ask = (by: SignedIn, at: string, body?: unknown) => {
  const [method, path] = at.split(' ') as [string, string];
  return call(server.url + path, method, body, by.headers);
};
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;

test('somebody who is one thing here and another there may do each where it is', async () => {
  const both = await join('viewer', ['bakery']);
  const changed = await call(
    `${server.url}/v1/users/${both.userId}`,
    'PATCH',
    {
      grants: [
        { site: 'bakery', role: 'viewer' },
        { site: mill.siteId, role: 'admin' },
      ],
    },
    admin,
  );
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  assert.equal((await ask(both, 'GET /v1/sites/mill')).status, 200);
  assert.equal((await ask(both, 'GET /v1/sites/bakery')).status, 404);
  const listed = await ask(both, 'GET /v1/sites');
  assert.deepEqual(
    listed.body.sites.map(({ key }: { key: string }) => key),
    ['mill'],
  );
  const summary = (site: string) =>
    ask(both, `GET /v1/metrics/summary?from=2026-01-01&to=2026-01-02&propertyId=${site}`);
  assert.deepEqual([(await summary('bakery')).status, (await summary('mill')).status], [200, 200]);
  const lead = await ask(both, `GET /v1/leads/${bakery.leadId}`);
  assert.equal(lead.status, 404, 'an admin of the mill sees no lead of the bakery');
});

test('an admin sees and changes people at their sites only, and neither sees nor makes an owner', async () => {
  const boss = people.admin!;
  const users = (await ask(boss, 'GET /v1/users')).body.users as { userId: string; isOwner: boolean }[];
  assert.ok(users.some(({ userId }) => userId === people.viewer!.userId));
  assert.ok(!users.some(({ isOwner }) => isOwner));
  for (const other of [people.owner!, mill.viewer]) {
    assert.ok(!users.some(({ userId }) => userId === other.userId));
    for (const at of ['GET', 'DELETE', 'PATCH'])
      assert.equal(
        (await ask(boss, `${at} /v1/users/${other.userId}`, at === 'PATCH' ? {} : undefined)).status,
        404,
      );
  }
  assert.equal((await invite({ role: 'owner' }, boss.headers)).status, 403);
  assert.equal((await invite({ role: 'viewer', sites: ['mill'] }, boss.headers)).status, 400);
  const own = await invite({ role: 'admin' }, boss.headers);
  assert.deepEqual(own.body.invitation.siteIds, [bakery.siteId]);
  const raise = await ask(boss, `PATCH /v1/users/${people.viewer!.userId}`, { isOwner: true });
  assert.deepEqual([raise.status, raise.body.error], [403, 'forbidden']);
  const far = await join('viewer', ['bakery', 'mill']);
  const seen = await ask(boss, `GET /v1/users/${far.userId}`);
  assert.deepEqual(
    seen.body.user.grants.map(({ key }: { key: string }) => key),
    ['bakery'],
  );
  for (const [at, body] of [
    [`DELETE /v1/users/${far.userId}`, undefined],
    [`DELETE /v1/users/${far.userId}/sessions`, undefined],
    [`PATCH /v1/users/${far.userId}`, { disabled: true }],
  ] as const)
    assert.equal((await ask(boss, at, body)).status, 403, at);
  const taken = await ask(boss, `PATCH /v1/users/${far.userId}`, { grants: [] });
  assert.equal(taken.status, 200);
  const left = await call(`${server.url}/v1/users/${far.userId}`, 'GET', undefined, admin);
  assert.deepEqual(
    left.body.user.grants.map(({ key }: { key: string }) => key),
    ['mill'],
    'the mill’s stays',
  );
});

test('a role that is lowered, a session that is ended and an account that is disabled are obeyed at once', async () => {
  const guest = await join('admin', ['bakery'], 'guest@people.example');
  assert.equal((await ask(guest, 'GET /v1/sites/bakery')).status, 200);
  const patch = (body: unknown) => call(`${server.url}/v1/users/${guest.userId}`, 'PATCH', body, admin);
  await patch({ grants: [{ site: 'bakery', role: 'viewer' }] });
  assert.equal((await ask(guest, 'GET /v1/sites/bakery')).status, 403);
  await call(`${server.url}/v1/users/${guest.userId}/sessions`, 'DELETE', undefined, admin);
  assert.equal((await ask(guest, 'GET /v1/users/me')).status, 401);
  const again = await signIn(server, 'guest@people.example', PASSWORD);
  await patch({ disabled: true });
  assert.equal((await ask(again, 'GET /v1/users/me')).status, 401);
  assert.equal((await trySignIn(server, 'guest@people.example', PASSWORD)).status, 401);
  await patch({ disabled: false });
  assert.equal((await trySignIn(server, 'guest@people.example', PASSWORD)).status, 200);
  await call(`${server.url}/v1/users/${guest.userId}`, 'DELETE', undefined, admin);
  assert.equal((await trySignIn(server, 'guest@people.example', PASSWORD)).status, 401);
  const kinds = await rows('select kind, actor from auth_events where user_id = $1 order by event_id', [
    guest.userId,
  ]);
  assert.deepEqual(
    kinds.filter(({ actor }) => actor === 'admin_key').map(({ kind }) => kind),
    ['sessions_ended', 'account_disabled', 'account_enabled', 'account_deleted'],
  );
});

test('the last owner stays, whoever asks, also when two ask at once', async () => {
  const own = await startServer();
  try {
    const first = await newOwner(own, 'ida@people.example', PASSWORD);
    const second = await newOwner(own, 'jon@people.example', PASSWORD);
    for (let n = 0; n < 10; n += 1) {
      const ada = await newOwner(own, `ada-${n}@people.example`, PASSWORD);
      const bob = await newOwner(own, `bob-${n}@people.example`, PASSWORD);
      const each = await Promise.all(
        [ada, bob].map(({ userId }) => call(`${own.url}/v1/users/${userId}`, 'DELETE', undefined, admin)),
      );
      assert.deepEqual(
        each.map(({ status }) => status),
        [200, 200],
        'where owners are left, both may go',
      );
    }
    const patch = (who: SignedIn, body: unknown) =>
      call(`${own.url}/v1/users/${who.userId}`, 'PATCH', body, admin).then(({ status }) => status);
    const both = await Promise.all([patch(first, { isOwner: false }), patch(second, { disabled: true })]);
    assert.deepEqual(both.sort(), [200, 409]);
    const { rows: owners } = await own.database.owner.query(
      'select user_id from users where is_owner and disabled_at is null',
    );
    assert.equal(owners.length, 1);
    const last = [first, second].find(({ userId }) => userId === owners[0].user_id)!;
    for (const body of [{ isOwner: false }, { disabled: true }]) assert.equal(await patch(last, body), 409);
    const gone = await call(`${own.url}/v1/users/${last.userId}`, 'DELETE', undefined, admin);
    assert.equal(gone.status, 409);
  } finally {
    await own.end();
  }
});

test('an invitation is worth what its maker may give when it is used: whoever was shut out left no door open', async () => {
  const boss = await join('admin', ['bakery']);
  const path = `/v1/users/${boss.userId}`;
  const patch = (body: object) => call(server.url + path, 'PATCH', body, admin);
  const links = [];
  for (let n = 0; n < 3; n += 1) links.push((await invite({ role: 'admin' }, boss.headers)).body.link);
  const use = (link: string, n: number) =>
    signUpWith(server, link.split('/').at(-1)!, `door-${n}@people.example`, PASSWORD);
  const listed = async () =>
    (await call(`${server.url}/v1/invitations`, 'GET', undefined, admin)).body.invitations.filter(
      ({ madeBy }: { madeBy: string }) => madeBy === `user:${boss.userId}`,
    ).length;
  assert.equal(await listed(), 3);
  await patch({ grants: [{ site: 'bakery', role: 'viewer' }] });
  assert.equal((await use(links[0]!, 0)).status, 404, 'lowered');
  assert.equal(await listed(), 0);
  await patch({ grants: [{ site: 'mill', role: 'admin' }] });
  assert.equal((await use(links[0]!, 0)).status, 404, 'at another site');
  await patch({ grants: [{ site: 'bakery', role: 'admin' }] });
  assert.equal((await use(links[0]!, 0)).status, 201);
  await patch({ disabled: true });
  assert.equal((await use(links[1]!, 1)).status, 404, 'disabled');
  await patch({ disabled: false });
  assert.equal((await call(server.url + path, 'DELETE', undefined, admin)).status, 200);
  assert.equal((await use(links[2]!, 2)).status, 404, 'deleted');
});

test('an invitation for an address lets in that one alone, once, and can be taken back', async () => {
  const made = await invite({ role: 'viewer', sites: ['bakery'], email: 'Kim@People.example' });
  const token = tokenIn(made.body.link);
  const [row] = await rows('select t::text as line from one_time_links t order by link_id desc limit 1');
  assert.ok(!/kim/i.test(row.line) && !row.line.includes(token));
  assert.equal((await signUpWith(server, token, 'lou@people.example', PASSWORD)).status, 400);
  const kim = await signUpWith(server, token, 'kim@people.example', PASSWORD);
  assert.deepEqual([kim.status, kim.body.user.email], [201, 'Kim@People.example']);
  assert.equal((await signUpWith(server, token, 'kim2@people.example', PASSWORD)).status, 404);
  const other = await invite({ role: 'viewer', sites: ['bakery'] });
  const drop = await call(
    `${server.url}/v1/invitations/${other.body.invitation.invitationId}`,
    'DELETE',
    undefined,
    admin,
  );
  assert.equal(drop.status, 200);
  assert.equal(
    (await signUpWith(server, tokenIn(other.body.link), 'lou@people.example', PASSWORD)).status,
    404,
  );
});

test('an admin without a second factor has a week, and then may do nothing but set one up', async () => {
  const late = await join('admin', ['bakery']);
  const due = (await ask(late, 'GET /v1/users/me')).body.user.secondFactorDue;
  assert.ok(Date.parse(due) > Date.now() + 6.9 * 86_400_000);
  await rows("update users set strong_since = now() - interval '7 days 1 minute' where user_id = $1", [
    late.userId,
  ]);
  const refused = await ask(late, 'GET /v1/sites/bakery');
  assert.deepEqual([refused.status, refused.body.error], [403, 'second_factor_required']);
  assert.equal((await ask(late, 'GET /v1/users/me')).status, 200);
  assert.equal((await ask(people.viewer!, 'GET /v1/users/me')).body.user.secondFactorDue, null);
});

test('where everybody must have a second factor, whoever is there has a week from then on, and it ends with the setting', async () => {
  const { viewer, owner } = people as Record<'viewer' | 'owner', SignedIn>;
  const since = async ({ userId }: SignedIn) =>
    (await rows('select strong_since as since from users where user_id = $1', [userId]))[0].since;
  const ownersBefore = await since(owner);
  assert.equal(await since(viewer), null);
  const started: TestServer[] = [];
  const start = async (settings: object) => {
    started.push(await startServer({ ...WORLD_SETTINGS, ...settings }, server.database));
    return started.at(-1)!.url;
  };
  try {
    const strict = await start({ SECOND_FACTOR: 'everybody' });
    const asked = (path: string) => call(strict + path, 'GET', undefined, viewer.headers);
    const { body } = await asked('/v1/users/me');
    assert.ok(Date.parse(body.user.secondFactorDue) > Date.now() + 6.9 * 86_400_000);
    const numbers = '/v1/metrics/summary?propertyId=bakery&from=2026-11-01&to=2026-11-02';
    assert.equal((await asked(numbers)).status, 200);
    await rows("update users set strong_since = now() - interval '8 days' where user_id = $1", [
      viewer.userId,
    ]);
    assert.equal((await asked(numbers)).body.error, 'second_factor_required');
    await start({ SECOND_FACTOR: 'everybody' });
    assert.ok(Date.now() - (await since(viewer)).getTime() > 7 * 86_400_000, 'a restart gives no other week');
    await start({});
    assert.equal(await since(viewer), null);
    assert.deepEqual(await since(owner), ownersBefore);
  } finally {
    for (const one of started) await one.stop();
  }
});

test('what a caller was refused stands in the audit log', async () => {
  await ask(people.viewer!, 'POST /v1/keys', { name: 'x', scopes: ['read'] });
  const [line] = await rows(
    'select action, outcome from audit_log where actor = $1 order by audit_id desc limit 1',
    [`user:${people.viewer!.userId}`],
  );
  assert.deepEqual(line, { action: 'POST /v1/keys', outcome: 403 });
});

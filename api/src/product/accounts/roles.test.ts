// Who may do what where: every route × {nobody, each role} × {own site, another}, against a table that is written here by hand;
// and how people are invited, changed, shut out and deleted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { examplesOf } from '../../../test/examples.ts';
import { newOwner, type SignedIn, signedIn, signIn, signUpWith, trySignIn } from '../../../test/people.ts';
import { send } from '../../../test/send.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from '../../../test/world.ts';
import { CAPABILITIES, type Capability } from '../../ground/http/caller.ts';
import { pathOf } from '../../ground/http/route.ts';

const MAY: Record<Capability, string> = {
  numbers: 'owner admin analyst viewer',
  spend: 'owner admin analyst',
  leads: 'owner admin privacy',
  evidence: 'owner admin privacy',
  settings: 'owner admin',
  people: 'owner admin',
  access: 'owner admin privacy',
  machine: 'owner admin',
};
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
const guarded = () => server.routes.filter(({ who }) => who in CAPABILITIES);

test('every route asks for a capability of the table, for a person, or is anyone’s on purpose', () => {
  assert.deepEqual(Object.keys(MAY).sort(), Object.keys(CAPABILITIES).sort());
  for (const { id, who } of server.routes)
    assert.ok(who in CAPABILITIES || ['anyone', 'inside', 'person'].includes(who), id);
});

test('nobody gets into any route that asks for somebody', async () => {
  for (const { at, who, id } of server.routes.filter((one) => one.who !== 'anyone' && one.who !== 'inside')) {
    const path = pathOf({ at }).replace(/:\w+/g, '00000000-0000-0000-0000-000000000000');
    const { status } = await call(server.url + path, at.split(' ')[0]);
    assert.equal(status, 401, `${id} (${who})`);
    if (who === 'person') {
      const byKey = await call(server.url + path, at.split(' ')[0], undefined, admin);
      assert.deepEqual([byKey.status, byKey.body.error], [403, 'forbidden'], `${id} by the admin key`);
    }
  }
});

test('each role may do what the table says on every route, and is refused everything else', async () => {
  for (const role of ROLES)
    for (const { at, id, who } of guarded()) {
      const nothing = '00000000-0000-0000-0000-000000000000';
      const path = pathOf({ at }).replace(':siteId', 'bakery').replace(/:\w+/g, nothing);
      const { body } = await call(server.url + path, at.split(' ')[0], undefined, people[role]!.headers);
      const may = MAY[who as Capability].split(' ').includes(role);
      assert.equal(body.error === 'forbidden', !may, `${role} at ${id}: ${JSON.stringify(body)}`);
    }
});

test('what a role may look at, it may at its own site, and another site answers as one that is nowhere', async () => {
  let looked = 0;
  for (const role of ROLES)
    for (const route of guarded().filter(
      ({ at, of }) => at.startsWith('GET ') && (of === 'named' || of === 'path'),
    )) {
      if (!MAY[route.who as Capability].split(' ').includes(role)) continue;
      const { headers } = people[role]!;
      const own = await send(server, route, examplesOf(bakery)[route.id]![0]!, headers);
      assert.ok(own.status < 300, `${role} at ${route.id}: ${own.text.slice(0, 200)}`);
      const theirs = await send(server, route, examplesOf(mill)[route.id]![0]!, headers);
      if (role === 'owner') assert.ok(theirs.status < 300, route.id);
      else {
        const nowhere = JSON.parse(
          JSON.stringify(examplesOf(mill)[route.id]![0]!).replaceAll('"mill"', '"nowhere"'),
        );
        const unknown = await send(server, route, nowhere, headers);
        const plain = (text: string) => text.replace(/"requestId":"[^"]+"/, '');
        assert.deepEqual(
          [theirs.status, plain(theirs.text)],
          [unknown.status, plain(unknown.text)],
          route.id,
        );
        assert.ok(theirs.status === 400 || theirs.status === 404, route.id);
      }
      looked += 1;
    }
  assert.ok(looked > 40, `${looked} looks`);
});

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

test('what a caller was refused stands in the audit log', async () => {
  await ask(people.viewer!, 'POST /v1/keys', { name: 'x', scopes: ['read'] });
  const [line] = await rows(
    'select action, outcome from audit_log where actor = $1 order by audit_id desc limit 1',
    [`user:${people.viewer!.userId}`],
  );
  assert.deepEqual(line, { action: 'POST /v1/keys', outcome: 403 });
});

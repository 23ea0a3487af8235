// Who may join through the provider by their domain, and what people are here by their groups there: a real provider on loopback.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Account, startProvider, type TestProvider } from '../../../test/oidc-provider.ts';
import { cookiesOf, newOwner, OWN_PAGE } from '../../../test/people.ts';
import { type Answer, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { ConfigError, readConfig } from '../../config.ts';
import { readGroupRules, rolesOf } from './provider-roles.ts';

const PUBLIC_URL = 'https://marketing.example';
const CALLBACK = `${PUBLIC_URL}/v1/auth/oidc/callback`;
let server: TestServer;
let provider: TestProvider;
before(async () => {
  provider = await startProvider(CALLBACK);
  server = await startServer({
    PUBLIC_URL,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: 'marketing',
    OIDC_CLIENT_SECRET: 'a secret of the tests',
    OIDC_DOMAINS: 'bakery.example,mill.example',
    OIDC_GROUPS: 'chiefs=owner,the%20bakers=admin@bakery,bakers-2=analyst@bakery+mill,staff=viewer',
  });
  for (const key of ['bakery', 'mill'])
    assert.equal((await call(`${server.url}/v1/sites`, 'POST', { key, name: key }, admin)).status, 201);
});
after(async () => {
  await server?.end();
  provider?.close();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
async function round(
  is: Account,
  begin = '/v1/auth/oidc',
  body = {},
  headers: Record<string, string> = OWN_PAGE,
): Promise<Answer> {
  provider.is = { emailVerified: true, ...is };
  const begun = await call(`${server.url}${begin}`, 'POST', body, headers);
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const { search } = await provider.visit(begun.body.url);
  return call(`${server.url}/v1/auth/oidc/callback${search}`, 'GET', undefined, { cookie: cookiesOf(begun) });
}
const whereTo = ({ headers }: Answer) =>
  headers.get('location')!.replace(`${PUBLIC_URL}/app/`, '').replace('#/', '');
const me = async (answer: Answer) => {
  assert.equal(whereTo(answer), '', 'signed in');
  return (
    await call(`${server.url}/v1/users/me`, 'GET', undefined, { cookie: cookiesOf(answer), ...OWN_PAGE })
  ).body.user;
};
const siteKeys = async () =>
  new Map((await rows('select site_id, key from sites')).map((s) => [s.site_id, s.key]));
/** What they are, as `site role`. */
async function rolesIn(answer: Answer): Promise<string[]> {
  const { isOwner, userId } = await me(answer);
  const keys = await siteKeys();
  const grants = await rows('select site_id, role from site_grants where user_id = $1', [userId]);
  return isOwner ? ['owner'] : grants.map(({ site_id, role }) => `${keys.get(site_id)} ${role}`).sort();
}

test('a verified address at a listed domain lets in whom a group gives a role, and nobody else comes without an invitation', async () => {
  const joined = await round({ sub: 'bo', email: 'bo@Bakery.example', groups: ['bakers-2', 'others'] });
  assert.deepEqual(await rolesIn(joined), ['bakery analyst', 'mill analyst']);
  const { userId, email } = await me(joined);
  assert.equal(email, 'bo@Bakery.example', 'as it is written there');
  assert.equal(
    (await me(await round({ sub: 'bo', email: 'new@else.example', groups: ['staff'] }))).userId,
    userId,
  );
  const before = await rows('select count(*)::int as users from users');
  for (const [what, is] of Object.entries<Account>({
    'a domain that is not listed': { sub: 'a', email: 'a@else.example', groups: ['staff'] },
    'a domain below a listed one': { sub: 'b', email: 'b@shop.bakery.example', groups: ['staff'] },
    'a domain that ends like a listed one': { sub: 'c', email: 'c@notbakery.example', groups: ['staff'] },
    'an address that nobody verified': {
      sub: 'd',
      email: 'd@bakery.example',
      emailVerified: false,
      groups: ['staff'],
    },
    'no address': { sub: 'e', groups: ['staff'] },
    'no group that is anything here': { sub: 'f', email: 'f@bakery.example', groups: ['others'] },
    'no groups at all': { sub: 'g', email: 'g@bakery.example' },
    'an address that has an account': { sub: 'h', email: 'bo@bakery.example', groups: ['chiefs'] },
  }))
    assert.equal(whereTo(await round(is)), 'sign-in/forbidden', what);
  assert.deepEqual(await rows('select count(*)::int as users from users'), before);
});

test('what somebody is follows their groups from the next sign-in on, whatever was given here, and holds from the next request', async () => {
  const ida = { sub: 'ida', email: 'ida@mill.example' };
  const first = await round({ ...ida, groups: ['staff'] });
  const all = [...(await siteKeys()).values()].sort();
  assert.deepEqual(
    await rolesIn(first),
    all.map((key) => `${key} viewer`),
  );
  const { userId } = await me(first);
  const given = await call(
    `${server.url}/v1/users/${userId}`,
    'PATCH',
    { grants: [{ site: 'mill', role: 'admin' }] },
    admin,
  );
  assert.equal(given.status, 200);
  assert.deepEqual(await rolesIn(first), ['mill admin']);
  const leads = (answer: Answer, site: string) =>
    call(`${server.url}/v1/leads?propertyId=${site}`, 'GET', undefined, {
      cookie: cookiesOf(answer),
      ...OWN_PAGE,
    });
  const second = await round({ ...ida, groups: ['staff', 'the bakers'] });
  assert.deepEqual(
    await rolesIn(second),
    all.map((key) => `${key} ${key === 'bakery' ? 'admin' : 'viewer'}`),
    'at each site the first rule that fits',
  );
  assert.equal((await leads(second, 'bakery')).status, 200);
  const third = await round({ ...ida, groups: ['bakers-2'] });
  assert.deepEqual(await rolesIn(third), ['bakery analyst', 'mill analyst']);
  const fourth = await round(ida);
  assert.deepEqual(await rolesIn(fourth), [], 'who is in no group any more is nothing');
  assert.equal((await leads(fourth, 'bakery')).status, 403);
  const events = await rows(
    "select kind, actor from auth_events where user_id = $1 and kind in ('sign_up', 'roles_changed') order by event_id",
    [userId],
  );
  assert.deepEqual(
    events.map(({ kind, actor }) => `${kind} ${actor === `user:${userId}` ? 'themselves' : actor}`),
    ['sign_up themselves', ...Array(4).fill('roles_changed provider')],
  );
});

test('an invitation lets in whom no domain does, and makes nobody more than their groups say', async () => {
  const invite = async (email: string) => {
    const wanted = { role: 'admin', sites: ['bakery'], email };
    const { body } = await call(`${server.url}/v1/invitations`, 'POST', wanted, admin);
    return { inviteToken: body.link.split('/').at(-1) };
  };
  const guest = { sub: 'guest', email: 'guest@else.example' };
  const invited = await invite(guest.email);
  assert.equal(whereTo(await round(guest, '/v1/auth/oidc', invited)), 'sign-in/forbidden');
  const joined = await round({ ...guest, groups: ['bakers-2'] }, '/v1/auth/oidc', invited);
  assert.deepEqual(await rolesIn(joined), ['bakery analyst', 'mill analyst']);
});

test('the last owner stays one, whatever the groups say; any other is made and unmade by them', async () => {
  await rows('update users set is_owner = false');
  const owner = await newOwner(server, 'last@bakery.example', 'rye, oats and a spoon');
  const last = { sub: 'last', email: 'last@bakery.example' };
  assert.equal(whereTo(await round(last, '/v1/users/me/oidc', {}, owner.headers)), 'account');
  assert.deepEqual(await rolesIn(await round({ ...last, groups: ['staff'] })), ['owner']);
  const chief = { sub: 'chief', email: 'chief@mill.example' };
  assert.deepEqual(await rolesIn(await round({ ...chief, groups: ['staff', 'chiefs'] })), ['owner']);
  assert.deepEqual(await rolesIn(await round(last)), [], 'now that there is another one');
  assert.deepEqual(await rolesIn(await round(chief)), ['owner']);
});

test('rules are read as they are written, and what is none is said at the start', () => {
  const sites = [
    { siteId: 'id-1', key: 'bakery' },
    { siteId: 'id-2', key: 'mill' },
  ];
  const roles = (rules: string, ...groups: string[]) => {
    const { isOwner, grants } = rolesOf(groups, readGroupRules(rules), sites);
    return isOwner ? 'owner' : grants.map(({ siteId, role }) => `${siteId} ${role}`).join(', ');
  };
  assert.equal(roles('*=viewer'), 'id-1 viewer, id-2 viewer');
  assert.equal(roles('a=viewer@mill', 'a'), 'id-2 viewer');
  assert.equal(roles('a=viewer@id-1+nowhere', 'a'), 'id-1 viewer');
  assert.equal(roles('%2Fteam%2Ca%3Db=privacy@mill, *=viewer', '/team,a=b'), 'id-1 viewer, id-2 privacy');
  assert.equal(roles('a=admin,b=owner', 'a', 'b'), 'owner');
  assert.equal(roles('a=admin', 'A', 'aa', '*', ''), '');
  const setting = (OIDC_GROUPS: string) =>
    readConfig({
      DATABASE_URL: 'postgres://localhost/unused',
      IP_HASH_PEPPER: 'unused, unused, unused',
      OIDC_GROUPS,
    }).OIDC_GROUPS;
  for (const right of ['a=owner', '*=viewer', '/a/b=admin@x+y, c%20d=privacy']) assert.ok(setting(right));
  for (const wrong of [
    'a',
    'a=',
    'a=boss',
    'a=owner@bakery',
    '=admin',
    'a=admin@',
    'a=admin,',
    '%ff=admin',
    'a b=admin',
  ])
    assert.throws(() => setting(wrong), ConfigError, wrong);
});

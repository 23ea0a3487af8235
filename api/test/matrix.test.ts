// Who gets in where: every route of the table × everyone who may call × their own site and another one, against tables that
// are written here by hand. Made from the routes, so that none is missing.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CAPABILITIES, type Capability } from '../src/ground/http/caller.ts';
import { SCOPES, SITE_ROLES } from '../src/ground/http/roles.ts';
import { type Route, VIEWS } from '../src/ground/http/route.ts';
import { isUuid } from '../src/ground/lib/uuid.ts';
import { type Example, examplesOf } from './examples.ts';
import { newOwner, type SignedIn, signedIn, signUpWith, trySignIn } from './people.ts';
import { send } from './send.ts';
import { admin, call, startServer, type TestServer } from './server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from './world.ts';

/** Who has which capability; keys by their scope. */
const MAY: Record<Capability, string> = {
  numbers: 'owner admin analyst viewer admin_key key:read key:admin',
  spend: 'owner admin analyst admin_key key:ingest key:admin',
  notes: 'owner admin analyst viewer admin_key key:ingest key:admin',
  segments: 'owner admin analyst viewer admin_key key:admin',
  leadFacts: 'owner admin analyst privacy admin_key key:leads key:admin',
  leads: 'owner admin privacy admin_key key:leads key:admin',
  evidence: 'owner admin privacy admin_key key:admin',
  settings: 'owner admin admin_key key:admin',
  hooks: 'owner admin admin_key key:admin key:hooks',
  people: 'owner admin admin_key',
  access: 'owner admin privacy admin_key key:admin',
  plans: 'owner admin_key',
  machine: 'owner admin admin_key key:admin',
};
const PEOPLE = ['owner', ...SITE_ROLES];
/** What anybody may look at, in the order of the alphabet. What stands behind a token is for whoever was sent it. */
const PUBLIC_LOOKS = `
  / /.well-known/gpc.json /.well-known/proof-keys.json
  /app /app/ /app/-/:file /app/:page /app/:site/:page /app/:site/:page/:id /app/embed/:share /consent.js /livez /p.js /p/:file
  /proof/:receiptRef /readyz /s-core.js /s.js /s.json /s/:file
  /v1/auth/oidc/callback /v1/auth/ways /v1/badge.svg /v1/choices/control /v1/confirm/:token /v1/feed /v1/feed.html /v1/feed/stream
  /v1/healthz /v1/leads/form-token /v1/leads/thank-you /v1/openapi.json /v1/pixel.gif /v1/privacy /v1/proof/:receiptRef
  /v1/report-mails/:token /v1/report-mails/:token/leave /v1/shares/mine /v1/staff/:token /v1/unsubscribe/:token
  /v1/your-data /v1/your-data/:token`
  .trim()
  .split(/\s+/);
/** What a person who signed in does only after a proof of the last ten minutes. */
const PROVED = `
  changeEmail changePassword deleteMe endMySession endMyOtherSessions addOidc removeOidc addTotp removeTotp renewRecoveryCodes beginPasskey addPasskey removePasskey
  inviteUser dropInvitation updateUser endUserSessions deleteUser createKey revokeKey
  createShare createMailReport createAlertRule createWebhook createHook updateWebhook renewWebhookSecret createIntegration updateIntegration
  exportLeads exportSubject eraseSubject runJob`
  .trim()
  .split(/\s+/);
/** Whose every site is theirs; everybody else is of the bakery alone. */
const EVERYWHERE = ['owner', 'admin_key'];
/** Comes through the proxy from the internet, so that nothing is open because it is near. */
const OUTSIDE = { 'x-real-ip': '203.0.113.7' };

const PASSWORD = 'rye, oats and a spoon';
type Headers = Record<string, string>;
let server: TestServer;
let bakery: Place;
let mill: Place;
const people: Record<string, SignedIn> = {};
const callers: Record<string, Headers> = { nobody: {}, admin_key: admin };
before(async () => {
  server = await startServer({ ...WORLD_SETTINGS, TRUSTED_PROXIES: '127.0.0.1' });
  bakery = await makePlace(server, 'bakery');
  mill = await makePlace(server, 'mill');
  const ask = async (path: string, wanted: object) =>
    (await call(server.url + path, 'POST', wanted, admin)).body;
  people.owner = await newOwner(server, 'owner@people.example', PASSWORD);
  for (const role of PEOPLE.slice(1)) {
    const { link } = await ask('/v1/invitations', { role, sites: ['bakery'] });
    const joined = await signUpWith(server, link.split('/').at(-1), `${role}@people.example`, PASSWORD);
    people[role] = signedIn(joined);
  }
  for (const role of PEOPLE) callers[role] = people[role]!.headers;
  for (const scope of Object.keys(SCOPES)) {
    const { token } = await ask('/v1/keys', { name: scope, scopes: [scope], sites: ['bakery'] });
    callers[`key:${scope}`] = { authorization: `Bearer ${token}` };
  }
  const { token } = await ask('/v1/sites/bakery/shares', { name: 'the board', views: VIEWS });
  callers.share = { 'x-share-token': token };
  const part = await ask('/v1/sites/bakery/shares', { name: 'a part of it', views: ['summary'] });
  callers['share of summary'] = { 'x-share-token': part.token };
  // a program that signed in as a person
  const program = await trySignIn(server, 'admin@people.example', PASSWORD, { as: 'token' });
  callers['admin by token'] = { authorization: `Bearer ${program.body.accessToken}` };
});
after(() => server.end());

const mayCall = (caller: string, route: Route): boolean => {
  const who = caller.replace(/ by token$/, '');
  if (who === 'share of summary') return route.view === 'summary';
  if (route.who === 'person') return PEOPLE.includes(who);
  if (who === 'share') return route.view !== undefined;
  if (route.who === 'caller') return who !== 'nobody';
  return MAY[route.who === 'inside' ? 'machine' : (route.who as Capability)].split(' ').includes(who);
};
/** Each route that asks for somebody, beside each caller. */
const walk = (): { who: string; route: Route; headers: Headers; may: boolean }[] =>
  Object.entries(callers).flatMap(([who, headers]) =>
    server.routes
      .filter((route) => route.who !== 'anyone')
      .map((route) => ({ who, route, headers: { ...OUTSIDE, ...headers }, may: mayCall(who, route) })),
  );

/** The plainest call of an operation, without anybody's headers. */
function exampleOf(place: Place, { id }: Route): Example {
  const { headers: _, ...example } = examplesOf(place)[id]![0]!;
  return example;
}
/** A call that the door lets in or not, and that does nothing: no body, and ids of nothing. */
function emptyCall({ at }: Route): Example {
  const ids = [...at.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const nothing = (name: string) => (name === 'siteId' ? 'bakery' : '00000000-0000-0000-0000-000000000000');
  return { path: Object.fromEntries(ids.map((name) => [name, nothing(name)])) };
}
const isLook = ({ at }: Route) => at.startsWith('GET ');
const errorIn = (text: string): string | undefined =>
  text.startsWith('{') ? (JSON.parse(text) as { error?: string }).error : undefined;

/** In batches, because each waits for the database. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += 4) await Promise.all(all.slice(at, at + 4).map(work));
}

/** The same call about what is nowhere; the same text when it names nothing of the place. */
function nowhereOf(example: Example, place: Place): { sent: Example; hide(text: string): string } {
  const ids = Object.values(place)
    .flat()
    .flatMap((value) =>
      typeof value === 'object' && 'userId' in value ? [value.userId, value.sessionId] : [value],
    )
    .filter((value): value is string => typeof value === 'string' && isUuid(value));
  const others: [string, string][] = ids.map((id) => [id, randomUUID()]);
  others.push([`@${place.key}.`, '@nowhere.'], [`"${place.key}"`, '"nowhere"']);
  const swap = (text: string) =>
    others.reduce((result, [mine, other]) => result.replaceAll(mine, other), text);
  return {
    sent: JSON.parse(swap(JSON.stringify(example))) as Example,
    hide: (text) =>
      [...others.flat().map((one) => one.replaceAll('"', '')), /"requestId":"[^"]+"/g].reduce(
        (result: string, one) => result.replaceAll(one, '<it>'),
        text,
      ),
  };
}

test('every route asks for a capability of the table, for a person, for one in each part, or is anyone’s on purpose', () => {
  assert.deepEqual(Object.keys(MAY).sort(), Object.keys(CAPABILITIES).sort());
  for (const { id, who } of server.routes)
    assert.ok(who in CAPABILITIES || ['anyone', 'inside', 'person', 'caller'].includes(who), id);
  assert.deepEqual(
    server.routes.flatMap(({ view }) => (view ? [view] : [])).sort(),
    [...VIEWS].sort(),
    'no report is shared by accident',
  );
});

test('who may not is told so at every door, and who may gets in', async () => {
  await each(
    // what people do about themselves is walked last: it ends their sessions
    walk().filter(({ route, may }) => route.who !== 'person' || !may),
    async ({ who, route, headers, may }) => {
      const { status, text } = await send(server, route, emptyCall(route), headers);
      const about = `${who} at ${route.id}: ${status} ${text.slice(0, 200)}`;
      if (who === 'nobody') assert.deepEqual([status, errorIn(text)], [401, 'unauthorized'], about);
      else if (may) assert.ok(status !== 401 && status !== 403, about);
      else assert.deepEqual([status, errorIn(text)], [403, 'forbidden'], about);
    },
  );
});

test('who may look sees their own site', async () => {
  const looks = walk().filter(({ route, may }) => may && isLook(route));
  assert.ok(looks.length > 200, `${looks.length} looks`);
  await each(looks, async ({ who, route, headers }) => {
    const example = exampleOf(bakery, route);
    // what is not of a site but of a person is each one's own
    const path = route.id === 'getUser' ? { userId: bakery.viewer.userId } : example.path;
    const { status, text } = await send(server, route, { ...example, ...(path ? { path } : {}) }, headers);
    assert.ok(status < 300, `${who} at ${route.id}: ${status} ${text.slice(0, 200)}`);
    if (!EVERYWHERE.includes(who))
      assert.ok(!text.includes(mill.siteId) && !text.includes('@mill.'), `${who} at ${route.id}: ${text}`);
  });
});

test('whatever names another site, or a thing of one, is answered as if it were nowhere', async () => {
  let walked = 0;
  await each(
    walk().filter(({ who, may }) => may && !EVERYWHERE.includes(who)),
    async ({ who, route, headers }) => {
      const theirs = exampleOf(mill, route);
      const { sent, hide } = nowhereOf(theirs, mill);
      if (JSON.stringify(sent) === JSON.stringify(theirs)) return;
      const named = await send(server, route, theirs, headers);
      const unknown = await send(server, route, sent, headers);
      const about = `${who} at ${route.id}: ${named.text.slice(0, 300)}`;
      assert.deepEqual([named.status, hide(named.text)], [unknown.status, hide(unknown.text)], about);
      walked += 1;
    },
  );
  assert.ok(walked > 180, `${walked} names`);
});

test('what people do about themselves is open to them, and asks for a proof where it is dangerous', async () => {
  await server.database.owner.query("update user_sessions set proved_at = now() - interval '11 minutes'");
  const own = walk().filter(({ route, may }) => route.who === 'person' && may);
  const isEnd = (one: { route: Route }) => Number(one.route.id === 'signOut');
  for (const { who, route, headers } of own.sort((a, b) => isEnd(a) - isEnd(b))) {
    const { status, text } = await send(server, route, emptyCall(route), headers);
    const about = `${who} at ${route.id}: ${status} ${text.slice(0, 200)}`;
    if (route.proof) assert.deepEqual([status, errorIn(text)], [403, 'proof_required'], about);
    else assert.ok(status !== 401 && status !== 403, about);
  }
});

test('what is dangerous asks for a proof, of an owner too, and this is all that does', async () => {
  assert.deepEqual(server.routes.flatMap(({ id, proof }) => (proof ? [id] : [])).sort(), PROVED.toSorted());
  // the walk above ended their session
  const { headers } = signedIn(await trySignIn(server, 'owner@people.example', PASSWORD));
  await server.database.owner.query("update user_sessions set proved_at = now() - interval '11 minutes'");
  for (const route of server.routes.filter(({ id }) => PROVED.includes(id))) {
    const { status, text } = await send(server, route, emptyCall(route), { ...OUTSIDE, ...headers });
    assert.deepEqual([status, errorIn(text)], [403, 'proof_required'], `${route.id}: ${text.slice(0, 200)}`);
  }
});

test('nothing is open to look at that was not opened on purpose', () => {
  const looks = server.routes.filter((route) => route.who === 'anyone' && isLook(route));
  assert.deepEqual(looks.map(({ at }) => at.slice('GET '.length)).sort(), PUBLIC_LOOKS.toSorted());
});

test('what is anyone’s asks nobody who they are', async () => {
  const open = server.routes.filter(({ who }) => who === 'anyone');
  for (const [who, headers] of Object.entries({ nobody: {}, admin_key: admin, share: callers.share! }))
    await each(open, async (route) => {
      const { status, text } = await send(server, route, emptyCall(route), { ...OUTSIDE, ...headers });
      assert.ok(status !== 401 && status !== 403, `${who} at ${route.id}: ${status} ${text.slice(0, 200)}`);
    });
});

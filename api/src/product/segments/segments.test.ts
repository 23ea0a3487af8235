// Segments: filters under a name, whose they are, and that a link which shows one shows nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newOwner, type SignedIn, signedIn, signUpWith } from '../../../test/people.ts';
import { record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

const TODAY = dayOf(Date.now());
const PASSWORD = 'rye, oats and a spoon';
type Headers = Record<string, string>;
let server: TestServer;
let owner: SignedIn;
let viewer: SignedIn;
const AT = '/v1/sites/default/segments';
const post = (path: string, body: object, headers: Headers = admin) =>
  call(server.url + path, 'POST', body, headers);
const get = (path: string, headers: Headers = admin) => call(server.url + path, 'GET', undefined, headers);
const make = async (body: object, headers: Headers = admin) => {
  const made = await post(AT, body, headers);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.segment;
};
// asked for with the day before it, so that midnight may come in between
const WINDOW = `propertyId=default&from=${addDays(TODAY, -1)}&to=${addDays(TODAY, 1)}`;
const sessions = async (more: string, headers: Headers = admin): Promise<number> => {
  const { status, body } = await get(`/v1/metrics/summary?${WINDOW}${more}`, headers);
  assert.equal(status, 200, JSON.stringify(body));
  return body.metrics.sessions.value;
};

before(async () => {
  server = await startServer();
  owner = await newOwner(server, 'owner@segments.example', PASSWORD);
  const { body } = await post('/v1/invitations', { role: 'viewer', sites: ['default'] });
  const token = body.link.split('/').at(-1);
  viewer = await signedIn(await signUpWith(server, token, 'viewer@segments.example', PASSWORD));
  const visits = ['email', 'email', 'email', 'social', 'social', 'direct'].map((source, n) => ({
    id: `visit ${n}`,
    visitor: `visitor ${n}`,
    at: new Date(Date.now() - 60_000).toISOString(),
    source,
    path: n % 2 ? '/bread' : '/',
    device_type: n % 3 ? ('desktop' as const) : ('mobile' as const),
  }));
  await record(server.database.app, server.services.sites.fallback().siteId, visits);
  assert.equal((await post('/v1/admin/jobs/rollup', {})).status, 200);
});
after(() => server.end());

test('numbers of a segment are those of its filters, and what is asked beside it is met too', async () => {
  const { segmentId } = await make({ name: '  Mail  ', filters: ['source~is~email'] });
  assert.deepEqual(
    [
      await sessions(''),
      await sessions(`&segment=${segmentId}`),
      await sessions('&f=source~is~email'),
      await sessions(`&segment=${segmentId}&f=device~is~mobile`),
      await sessions(`&segment=${segmentId}&f=source~is~social`),
    ],
    [6, 3, 3, 1, 0],
  );
  const changed = await call(
    `${server.url}${AT}/${segmentId}`,
    'PATCH',
    { filters: ['source~is~social'] },
    {
      ...admin,
      'if-match': '"1"',
    },
  );
  assert.deepEqual([changed.body.segment.name, changed.body.segment.version], ['Mail', 2]);
  // what was kept of it ends, as soon as that is heard
  while ((await sessions(`&segment=${segmentId}`)) !== 2) await new Promise((done) => setTimeout(done, 5));
  const unknown = await get(`/v1/metrics/summary?${WINDOW}&segment=${viewer.userId}`);
  assert.deepEqual([unknown.status, unknown.body.issues[0].path], [400, 'segment']);
});

test('a segment of one’s own is known to nobody else, and those of the site are made by who may tell it something', async () => {
  const own = await make({ name: 'Mine', filters: ['source~is~email'], scope: 'mine' }, viewer.headers);
  assert.equal(await sessions(`&segment=${own.segmentId}`, viewer.headers), 3);
  for (const headers of [owner.headers, admin]) {
    const { status } = await get(`/v1/metrics/summary?${WINDOW}&segment=${own.segmentId}`, headers);
    assert.equal(status, 400, 'an answer that was kept for its owner is none for others');
    const listed = (await get(AT, headers)).body.segments.map(({ name }: { name: string }) => name);
    assert.ok(!listed.includes('Mine'));
    const gone = await call(`${server.url}${AT}/${own.segmentId}`, 'DELETE', undefined, {
      ...headers,
      'if-match': '"1"',
    });
    assert.equal(gone.status, 404);
  }
  const forAll = { name: 'For all', filters: ['source~is~email'] };
  assert.equal((await post(AT, forAll, viewer.headers)).status, 403);
  const shared = await make(forAll, owner.headers);
  const seen = (await get(AT, viewer.headers)).body.segments;
  const here = seen.find(({ segmentId }: { segmentId: string }) => segmentId === shared.segmentId);
  assert.equal(here.mayChange, false);
  const mine = await post(AT, { ...forAll, scope: 'mine' });
  assert.deepEqual([mine.status, mine.body.issues[0].path], [400, 'scope']);
  const wrong = await post(AT, { name: 'x', filters: ['shoe~is~x'] });
  assert.deepEqual([wrong.status, wrong.body.issues[0].path], [400, 'filters.0']);
});

test('a value that no visit has any more is shown as stale, and what only holds a text is none', async () => {
  const filters = [
    'source~is~email',
    'source~is~pigeon',
    'landing~is~/bread',
    'page~is~/gone',
    'os~contains~BeOS',
  ];
  const { stale } = await make({ name: 'Old', filters });
  assert.deepEqual(stale, ['source~is~pigeon', 'page~is~/gone']);
});

test('a link to a segment shows its visits alone, whatever is asked, and nothing once the segment is gone', async () => {
  const { segmentId } = await make({ name: 'Shared', filters: ['source~is~email'] });
  const refused = await post('/v1/sites/default/shares', { name: 'x', segmentId, views: ['quality'] });
  assert.deepEqual([refused.status, refused.body.issues[0].path], [400, 'views']);
  const own = await make({ name: 'Hers', filters: ['source~is~email'], scope: 'mine' }, owner.headers);
  const others = await post('/v1/sites/default/shares', { name: 'x', segmentId: own.segmentId });
  assert.deepEqual([others.status, others.body.issues[0].path], [400, 'segmentId']);
  const made = await post('/v1/sites/default/shares', { name: 'The board', segmentId });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.share.segmentId, segmentId);
  const link = { 'x-share-token': made.body.token };
  assert.deepEqual(
    [
      await sessions('', link),
      await sessions('&f=source~is_not~x', link),
      await sessions('&f=source~is~social', link),
      await sessions('&f=device~is~mobile', link),
    ],
    [3, 3, 0, 1],
  );
  assert.equal(await sessions(''), 6, 'what was kept for the link is nobody else’s');
  const page = (await get(`/v1/metrics/page?${WINDOW}`, link)).body;
  assert.deepEqual(
    page.breakdowns.sources.rows.map(({ name }: { name: string }) => name),
    ['email'],
  );
  const { ingest, quality } = page.summary;
  assert.deepEqual(
    [ingest.totalEventsAccepted, quality.botEvents],
    [null, null],
    'all of the site is not theirs',
  );
  for (const report of ['quality', 'realtime', 'cohorts'])
    assert.equal((await get(`/v1/metrics/${report}?${WINDOW}`, link)).status, 403, report);
  await call(`${server.url}${AT}/${segmentId}`, 'DELETE', undefined, { ...admin, 'if-match': '"1"' });
  for (;;) {
    const { status } = await get(`/v1/metrics/summary?${WINDOW}`, link);
    if (status === 403) break;
    await new Promise((done) => setTimeout(done, 5));
  }
});

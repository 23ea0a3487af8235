// Notes on days of the numbers: who writes which, who sees them where, and what the machine writes by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { newOwner, type SignedIn, signedIn, signUpWith } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { noteOutages, noteRelease, noteRestore, outagesIn } from './machine.ts';

const today = dayOf(Date.now());
const PASSWORD = 'rye, oats and a spoon';
type Headers = Record<string, string>;

let server: TestServer;
let people: Record<'owner' | 'analyst' | 'viewer' | 'colleague', SignedIn>;
let ingest: Headers;
before(async () => {
  server = await startServer();
  const join = async (role: string, name: string) => {
    const { body } = await post('/v1/invitations', { role, sites: ['default'] });
    const token = body.link.split('/').at(-1);
    return signedIn(await signUpWith(server, token, `${name}@people.example`, PASSWORD));
  };
  people = {
    owner: await newOwner(server, 'owner@people.example', PASSWORD),
    analyst: await join('analyst', 'analyst'),
    viewer: await join('viewer', 'viewer'),
    colleague: await join('viewer', 'colleague'),
  };
  const key = await post('/v1/keys', { name: 'CI', scopes: ['ingest'], sites: ['default'] });
  ingest = { authorization: `Bearer ${key.body.token}` };
});
after(() => server.end());

const post = (path: string, body: object, headers: Headers = admin) =>
  call(server.url + path, 'POST', body, headers);
const get = (path: string, headers: Headers = admin) => call(server.url + path, 'GET', undefined, headers);
const NOTES = '/v1/sites/default/notes';
const write = (body: object, headers: Headers = admin) => post(NOTES, body, headers);
const change = (id: string, body: object, headers: Headers, version = 1) =>
  call(`${server.url}${NOTES}/${id}`, 'PATCH', body, { ...headers, 'if-match': `"${version}"` });
const remove = (id: string, headers: Headers, version = 1) =>
  call(`${server.url}${NOTES}/${id}`, 'DELETE', undefined, { ...headers, 'if-match': `"${version}"` });
const PAGE = `/v1/metrics/page?propertyId=default&from=${addDays(today, -6)}&to=${today}`;
const textsFor = async (headers: Headers, path = PAGE): Promise<string[]> => {
  const { status, body } = await get(path, headers);
  assert.equal(status, 200, JSON.stringify(body));
  return (body.annotations ?? body.notes).map(({ text }: { text: string }) => text);
};
const said = ({ status, body }: { status: number; body: { error?: string } }) => [status, body.error];

test('a note stands on its day beside the numbers, for everybody who sees them, as soon as it is written', async () => {
  const day = addDays(today, -2);
  const before = await get(PAGE);
  const made = await write({ at: `${day}T15:30:00Z`, text: '  The new front page  ', kind: 'deploy' });
  assert.equal(made.status, 201);
  const { note } = made.body;
  assert.deepEqual(
    [note.at, note.day, note.kind, note.text, note.scope, note.madeBy, note.version, note.mayChange],
    [`${day}T15:30:00.000Z`, day, 'deploy', 'The new front page', 'site', 'admin_key', 1, true],
  );
  assert.deepEqual(await textsFor(admin), ['The new front page']);
  const page = await get(PAGE);
  assert.notEqual(
    page.headers.get('etag'),
    before.headers.get('etag'),
    'what was kept is another answer now',
  );
  const again = await get(PAGE, { ...admin, 'if-none-match': page.headers.get('etag')! });
  assert.equal(again.status, 304);
  for (const who of Object.values(people))
    assert.deepEqual(await textsFor(who.headers), ['The new front page']);
  const outside = `/v1/metrics/page?propertyId=default&from=${addDays(today, -9)}&to=${addDays(today, -3)}`;
  assert.deepEqual(await textsFor(admin, outside), []);
  await remove(note.noteId, admin);
});

test('a day of the site’s zone is its beginning there, and no moment is now', async () => {
  const site = { key: 'tokyo', name: 'Tokyo', settings: { timeZone: 'Asia/Tokyo' } };
  assert.equal((await post('/v1/sites', site)).status, 201);
  const { note } = (await post('/v1/sites/tokyo/notes', { at: '2026-03-01', text: 'Spring' })).body;
  assert.deepEqual([note.at, note.day, note.kind], ['2026-02-28T15:00:00.000Z', '2026-03-01', 'note']);
  const now = (await post('/v1/sites/tokyo/notes', { text: 'Now' })).body.note;
  assert.ok(Math.abs(Date.parse(now.at) - Date.now()) < 60_000);
});

test('a note of one’s own is shown to nobody else, and cannot be told from none', async () => {
  const { viewer, colleague, owner } = people;
  const made = await write({ text: 'Ask Bea about this', scope: 'mine' }, viewer.headers);
  assert.equal(made.status, 201);
  const { noteId } = made.body.note;
  assert.deepEqual(await textsFor(viewer.headers), ['Ask Bea about this']);
  assert.deepEqual(await textsFor(viewer.headers, NOTES), ['Ask Bea about this']);
  for (const headers of [colleague.headers, owner.headers, admin]) {
    assert.deepEqual(await textsFor(headers), []);
    assert.deepEqual(await textsFor(headers, NOTES), []);
    assert.deepEqual(said(await change(noteId, { text: 'x' }, headers)), [404, 'not_found']);
    assert.deepEqual(said(await remove(noteId, headers)), [404, 'not_found']);
  }
  const changed = await change(noteId, { text: 'Ask Bea again' }, viewer.headers);
  assert.deepEqual([changed.body.note.text, changed.body.note.version], ['Ask Bea again', 2]);
  const { rows } = await server.database.owner.query(
    "select details::text from audit_log where action like '%/notes%'",
  );
  assert.ok(!rows.some(({ details }) => details?.includes('Bea')), 'the log says that, never what');
});

test('notes of one’s own go with the account', async () => {
  await write({ text: 'My last one', scope: 'mine' }, people.colleague.headers);
  await write({ text: 'Ours', kind: 'incident' }, people.analyst.headers);
  for (const { userId } of [people.colleague, people.analyst]) {
    const gone = await call(`${server.url}/v1/users/${userId}`, 'DELETE', undefined, admin);
    assert.equal(gone.status, 200, JSON.stringify(gone.body));
  }
  const { rows } = await server.database.owner.query(
    "select text, made_by from notes where text in ('My last one', 'Ours')",
  );
  assert.deepEqual(
    rows,
    [{ text: 'Ours', made_by: `user:${people.analyst.userId}` }],
    'what was written for everybody stays',
  );
});

test('who only looks writes for themselves; a key that tells, what it deployed; a key that reads, nothing', async () => {
  const { viewer } = people;
  assert.deepEqual(said(await write({ text: 'For all' }, viewer.headers)), [403, 'forbidden']);
  const deploy = await write({ text: 'Release 12', kind: 'deploy' }, ingest);
  assert.equal(deploy.status, 201);
  assert.match(deploy.body.note.madeBy, /^key:/);
  assert.deepEqual(said(await write({ text: 'Sale', kind: 'campaign' }, ingest)), [403, 'forbidden']);
  assert.deepEqual(said(await get(NOTES, ingest)), [403, 'forbidden']);
  const mine = await write({ text: 'Release 12', kind: 'deploy', scope: 'mine' }, ingest);
  assert.deepEqual([mine.status, mine.body.issues?.[0]?.path], [400, 'scope']);
  const { noteId } = deploy.body.note;
  assert.deepEqual(said(await change(noteId, { kind: 'note' }, ingest)), [403, 'forbidden']);
  assert.equal((await change(noteId, { text: 'Release 12.1' }, ingest)).status, 200);
  assert.deepEqual(said(await change(noteId, { text: 'Mine now' }, viewer.headers, 2)), [403, 'forbidden']);
  const listed = (await get(NOTES, viewer.headers)).body.notes.find(
    (one: { noteId: string }) => one.noteId === noteId,
  );
  assert.equal(listed.mayChange, false);
  const read = await post('/v1/keys', { name: 'report', scopes: ['read'], sites: ['default'] });
  const reader = { authorization: `Bearer ${read.body.token}` };
  assert.deepEqual(said(await write({ text: 'Release', kind: 'deploy' }, reader)), [403, 'forbidden']);
  assert.ok((await textsFor(reader)).includes('Release 12.1'));
});

test('who changes a note names its version, so that nobody’s change is lost', async () => {
  const { note } = (await write({ text: 'Sale begins', kind: 'campaign', at: addDays(today, 20) })).body;
  assert.equal(
    (await change(note.noteId, { at: addDays(today, 21) }, admin)).body.note.day,
    addDays(today, 21),
  );
  assert.deepEqual(said(await change(note.noteId, { text: 'x' }, admin)), [412, 'precondition_failed']);
  assert.deepEqual(said(await remove(note.noteId, admin)), [412, 'precondition_failed']);
  assert.equal((await remove(note.noteId, admin, 2)).status, 200);
  assert.deepEqual(said(await remove(note.noteId, admin, 2)), [404, 'not_found']);
});

test('an address in a note is taken out with its person, however often it stands there', async () => {
  const email = 'a@b.co';
  await post('/v1/leads/capture', { email, propertyId: 'default', anonId: 'a-browser-of-theirs' });
  const { note } = (await write({ text: `${email} `.repeat(28).trim(), kind: 'incident' })).body;
  const gone = await post('/v1/leads/delete', { email, propertyId: 'default' });
  assert.equal(gone.status, 200, JSON.stringify(gone.body));
  const left = (await get(NOTES)).body.notes.find(({ noteId }: { noteId: string }) => noteId === note.noteId);
  assert.equal(left.text, '(erased) '.repeat(28).trim());
  assert.equal((await remove(note.noteId, admin)).status, 200);
});

test('what is no note is refused at its field', async () => {
  for (const [body, path] of [
    [{ text: ' ' }, 'text'],
    [{ text: 'x'.repeat(201) }, 'text'],
    [{ text: 'x', kind: 'upgrade' }, 'kind'],
    [{ text: 'x', scope: 'all' }, 'scope'],
    [{ text: 'x', at: 'yesterday' }, 'at'],
    [{ text: 'x', at: '2026-02-30' }, 'at'],
  ] as const) {
    const { status, body: refusal } = await write(body);
    assert.deepEqual([status, refusal.issues?.[0]?.path], [400, path], JSON.stringify(body));
  }
  const turned = await get(`${NOTES}?from=2026-02-02&to=2026-02-01`);
  assert.deepEqual([turned.status, turned.body.issues[0].path], [400, 'to']);
});

test('a list goes on where its page ended, the newest first', async () => {
  await post('/v1/sites', { key: 'paged', name: 'Paged' });
  for (let n = 1; n <= 5; n += 1)
    await post('/v1/sites/paged/notes', { at: `2026-01-0${(n % 3) + 1}`, text: `note ${n}` });
  const all = (await get('/v1/sites/paged/notes?from=2026-01-01&to=2026-01-31')).body.notes;
  const seen = [];
  let cursor = '';
  do {
    const { body } = await get(`/v1/sites/paged/notes?from=2026-01-01&to=2026-01-31&limit=2${cursor}`);
    seen.push(...body.notes);
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
  } while (cursor);
  assert.equal(all.length, 5);
  assert.deepEqual(seen, all);
});

test('whoever has a link to the numbers sees no note', async () => {
  await write({ text: 'Between us' });
  const { token } = (await post('/v1/sites/default/shares', { name: 'the board' })).body;
  assert.ok((await textsFor(admin)).includes('Between us'));
  assert.deepEqual(await textsFor({ 'x-share-token': token }), []);
  assert.equal((await get(NOTES, { 'x-share-token': token })).status, 403);
});

test('a site has a thousand notes at most, whatever the machine and its people alone write beside them', async () => {
  await post('/v1/sites', { key: 'full', name: 'Full' });
  const { rows } = await server.database.owner.query("select site_id from sites where key = 'full'");
  await server.database.owner.query(
    "insert into notes (site_id, at, kind, text, made_by) select $1, now(), 'note', n::text, 'admin_key' from generate_series(1, 1000) n",
    [rows[0].site_id],
  );
  const full = await post('/v1/sites/full/notes', { text: 'One more' });
  assert.deepEqual(said(full), [409, 'conflict']);
  const own = { text: 'Mine', scope: 'mine' };
  assert.equal((await post('/v1/sites/full/notes', own, people.owner.headers)).status, 201);
  const page = await get(`/v1/metrics/page?propertyId=full&from=${today}&to=${today}`);
  assert.equal(page.body.annotations.length, 200, 'an answer holds the newest of them');
});

test('minutes without service become one note each, once service is back', async () => {
  const day = (n: number) => addDays(today, -n);
  const minutes = (from: number, to: number) =>
    '0'.repeat(from) + '1'.repeat(to - from) + '0'.repeat(1440 - to);
  assert.deepEqual(outagesIn([{ day: day(3), minutes: minutes(0, 1400) }]), [], 'it goes on');
  assert.deepEqual(
    outagesIn([
      { day: day(3), minutes: minutes(600, 1430) },
      { day: day(1), minutes: minutes(20, 1440) },
      { day: day(0), minutes: `${'0'.repeat(4)}1${'0'.repeat(1435)}` },
    ]),
    [{ atMs: Date.parse(day(3)) + 1430 * 60_000, minutes: 10 + 1440 + 20 }],
    'over midnight and a day without a minute; four minutes are a restart',
  );
  const { owner } = server.database;
  await owner.query('delete from service_days');
  await owner.query('insert into service_days (day, minutes) values ($1, $2), ($3, $4)', [
    day(3),
    minutes(0, 720),
    day(2),
    minutes(30, 1440),
  ]);
  assert.equal(await noteOutages(owner), 1);
  assert.equal(await noteOutages(owner), 0, 'once');
  const { annotations } = (await get(PAGE)).body;
  const outage = annotations.find(({ kind }: { kind: string }) => kind === 'outage');
  assert.deepEqual(
    [outage.at, outage.text, outage.madeBy, outage.mayChange],
    [`${day(3)}T12:00:00.000Z`, '750 min', 'machine', false],
  );
  await owner.query('delete from machine_notes where kind = $1', ['outage']);
});

test('another release is noted for every site when it starts, and the first one is not', async () => {
  const { owner } = server.database;
  const upgrades = async () =>
    (await get(`${NOTES}?from=${today}`)).body.notes.filter(
      ({ kind }: { kind: string }) => kind === 'upgrade',
    );
  assert.deepEqual(await upgrades(), [], 'the start of this server');
  const { rows } = await owner.query('select release from machine_notes');
  assert.equal(rows.length, 1);
  await noteRelease(owner, rows[0].release);
  assert.deepEqual(await upgrades(), []);
  await noteRelease(owner, '9.9.9');
  await noteRelease(owner, '9.9.9');
  const [upgrade, ...more] = await upgrades();
  assert.deepEqual([upgrade.text, more.length], [`${rows[0].release} → 9.9.9`, 0]);
  const refused = await change(upgrade.noteId, { text: 'never happened' }, admin);
  assert.equal(refused.status, 404, 'it is nobody’s to change');
  assert.ok((await textsFor(admin, '/v1/sites/tokyo/notes')).includes(upgrade.text));
});

test('a restored backup says for every site when it was made', async () => {
  await noteRestore(server.database.owner, '2026-11-20T03:00:12.345Z');
  const { notes } = (await get(`/v1/sites/tokyo/notes?from=${today}`)).body;
  const [restore] = notes.filter(({ kind }: { kind: string }) => kind === 'restore');
  assert.deepEqual([restore.text, restore.scope, restore.mayChange], ['2026-11-20 03:00 UTC', 'site', false]);
});

test('days that were counted again by hand say so, once, and stay as the machine wrote them', async () => {
  await post('/v1/events', makeEvent({ anonId: 'a-browser-of-today', propertyId: 'default' }));
  const [from, to] = [addDays(today, -1), today];
  for (let n = 0; n < 2; n += 1)
    assert.equal((await post('/v1/admin/jobs/rollup', { from, to, propertyId: 'default' })).status, 200);
  await post('/v1/admin/jobs/rollup', {});
  const { notes } = (await get(NOTES)).body;
  const recounts = notes.filter(({ kind }: { kind: string }) => kind === 'recount');
  assert.deepEqual(
    recounts.map(({ day, text, madeBy }: Record<string, string>) => [day, text, madeBy]),
    [[from, `${from} – ${to}`, 'machine']],
  );
  const [{ noteId, version }] = recounts;
  assert.deepEqual(said(await change(noteId, { text: 'x' }, admin, version)), [403, 'forbidden']);
  assert.deepEqual(said(await remove(noteId, admin, version)), [403, 'forbidden']);
});

test('an import that is finished says where it ends, and takes its note along when it is undone', async () => {
  await post('/v1/sites', { key: 'moved', name: 'Moved' });
  const at = '/v1/sites/moved/imports';
  const files = [{ name: 'all.csv', sha256: 'b'.repeat(64) }];
  const begun = await post(at, { source: 'plausible', files, timezone: 'UTC' });
  const { importId } = begun.body.import;
  const rows = ['2025-05-01', '2025-05-31'].map((day) => ({ day, name: '', visitors: 3, visits: 4 }));
  await post(`${at}/${importId}/rows`, { seq: 0, kind: 'total', rows });
  const sums = { visitors: 6, visits: 8, pageviews: 0, bounces: 0, seconds: 0, events: 0 };
  const own = async () =>
    (await get('/v1/sites/moved/notes?to=2025-12-31')).body.notes.map(
      ({ day, kind, text }: Record<string, string>) => [day, kind, text],
    );
  assert.deepEqual(await own(), [], 'not before it is finished');
  for (let n = 0; n < 2; n += 1)
    assert.equal((await post(`${at}/${importId}/finish`, { rows: 2, sums })).status, 200);
  assert.deepEqual(await own(), [['2025-05-31', 'import', 'plausible, 2025-05-01 – 2025-05-31']]);
  await call(`${server.url}${at}/${importId}`, 'DELETE', undefined, admin);
  assert.deepEqual(await own(), []);
});

// Global Privacy Control and Do Not Track: what is seen under them is counted, and joins nobody.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { tiesOf } from '../../../test/ties.ts';
import { visitorIdOf } from '../events/enrich.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
  await call(`${server.url}/v1/sites`, 'POST', { key: 'site-form', settings: { linking: 'form' } }, admin);
});
after(() => server.end());

const { rows, page, capture, leadOf, timelineOf } = tiesOf(() => server);

test('pages seen under Global Privacy Control join no lead, though its browser is known', async () => {
  const email = address();
  const anonId = anon();
  await page('site-form', anonId, '/open');
  await capture('site-form', { email, anonId });
  await page('site-form', anonId, '/after-gpc', { 'sec-gpc': '1' });
  const paths = await timelineOf(email);
  assert.ok(paths.includes('/open') && !paths.includes('/after-gpc'), String(paths));
});

test('a form that is sent under Global Privacy Control or Do Not Track is told that it was honoured, one in a trap too; no other is', async () => {
  for (const [headers, said] of [
    [{ 'sec-gpc': '1' }, 'honoured'],
    [{ dnt: '1' }, 'honoured'],
    [{ 'sec-gpc': '0' }, undefined],
    [{}, undefined],
  ] as const)
    for (const trap of [{}, { honeypot: 'a robot' }]) {
      const { status, body } = await capture('site-form', { email: address(), ...trap }, headers);
      assert.deepEqual([status, body.privacySignal], [200, said], JSON.stringify([headers, trap]));
    }
});

test('a visit that began under Global Privacy Control joins no lead: not its timeline, nor its touches, nor how it came', async () => {
  const signal = { 'sec-gpc': '1' };
  const [known, known2, later, late] = [address(), address(), address(), address()];
  const [anonId, anonId2, earlier, cut] = [anon(), anon(), anon(), anon()];
  const visit = (id: string, source: string, headers = {}, more = {}) =>
    page('site-form', id, `/${source}`, headers, { utm: { source }, ...more });
  // known first, then a visit of another campaign under the signal, and one without
  await visit(anonId, 'first');
  await capture('site-form', { email: known, anonId });
  await visit(anonId, 'signalled', signal);
  await visit(anonId, 'last');
  // the other way round: what came before the form
  await visit(earlier, 'signalled', signal);
  await visit(earlier, 'own');
  await capture('site-form', { email: later, anonId: earlier });
  // a late event cuts the sessions anew
  await visit(cut, 'own');
  await capture('site-form', { email: late, anonId: cut });
  await visit(cut, 'signalled', signal, { timestamp: new Date(Date.now() - 3 * 3_600_000).toISOString() });
  await page('site-form', cut, '/later-still', signal, {
    timestamp: new Date(Date.now() - 3.1 * 3_600_000).toISOString(),
  });
  // and a form that is sent under it
  await visit(anonId2, 'first');
  await capture('site-form', { email: known2, anonId: anonId2 });
  assert.equal((await leadOf(known2)).privacy_signal, false);
  await visit(anonId2, 'signalled', signal);
  await capture('site-form', { email: known2, anonId: anonId2, formName: 'again' }, signal);
  assert.equal((await leadOf(known2)).privacy_signal, true, 'and says so from then on');

  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  for (const [email, sources] of [
    [known, ['first', 'last']],
    [later, ['own']],
    [late, ['own']],
    [known2, ['first']],
  ] as const) {
    const { body } = await call(
      `${server.url}/v1/leads/${await leadIdOf(server, email)}`,
      'GET',
      undefined,
      admin,
    );
    const sessions = body.sessions.map(({ utm }: { utm: { source: string } | null }) => utm?.source);
    assert.deepEqual(sessions.sort(), sources);
    const { lead_id, first_utm } = await leadOf(email);
    assert.equal(first_utm.source, sources[0]);
    const touches = await rows('select utm_source from lead_touches where lead_id = $1 order by 1', [
      lead_id,
    ]);
    assert.deepEqual(
      touches.map(({ utm_source }) => utm_source),
      sources,
    );
  }
});

test('a lead that a visit under Global Privacy Control told how it came is told anew by its own visits, and since when', async () => {
  const signal = { 'sec-gpc': '1' };
  const hoursAgo = (hours: number) => ({ timestamp: Date.now() - hours * 3_600_000 });
  const visit = (anonId: string, source: string, headers = {}, more = {}) =>
    page('site-form', anonId, `/${source}`, headers, { utm: { source }, ...more });
  const [own, signalled] = [
    { email: address(), anonId: anon() },
    { email: address(), anonId: anon() },
  ];
  await visit(own.anonId, 'signalled', signal, hoursAgo(5));
  await visit(own.anonId, 'own', {}, hoursAgo(2));
  await capture('site-form', own);
  // the visit its form was sent in began under the signal too: that one alone says how it came
  await visit(signalled.anonId, 'signalled', signal, hoursAgo(5));
  await visit(signalled.anonId, 'form', signal);
  await capture('site-form', signalled);
  await visit(signalled.anonId, 'later');
  for (const { email, anonId } of [own, signalled]) {
    const { lead_id, site_id } = await leadOf(email);
    // as they stood before visits under a signal were left out
    await rows(
      `update leads l set first_source = s.source, first_utm = s.utm, first_path = s.landing_path, first_referrer = s.referrer
       from sessions s where l.lead_id = $1 and s.visitor_id = $2 and s.landing_path = '/signalled'`,
      [lead_id, visitorIdOf(site_id, anonId)],
    );
    assert.equal((await leadOf(email)).first_path, '/signalled');
  }
  const toldAnew = async () => {
    for (const { email, anonId } of [own, signalled]) {
      const { site_id } = await leadOf(email);
      await rows('insert into dirty_leads (site_id, visitor_id, is_first_touch) values ($1, $2, true)', [
        site_id,
        visitorIdOf(site_id, anonId),
      ]);
    }
    await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
    for (const [{ email }, source, hours] of [
      [own, 'own', 2],
      [signalled, 'form', null],
    ] as const) {
      const { lead_id, first_path, first_utm } = await leadOf(email);
      assert.deepEqual([first_path, first_utm.source], [`/${source}`, source]);
      const [facts] = await rows(
        'select utm_source, round(hours::numeric, 1)::float8 as hours from lead_facts where lead_id = $1',
        [lead_id],
      );
      assert.deepEqual(facts, { utm_source: source, hours });
    }
  };
  await toldAnew();
  // and when the visit under the signal is kept no longer
  await rows("delete from sessions where landing_path = '/signalled' and visitor_id = any ($1)", [
    await Promise.all(
      [own, signalled].map(async ({ email, anonId }) => visitorIdOf((await leadOf(email)).site_id, anonId)),
    ),
  ]);
  await toldAnew();
});

test('a signup that a browser tells under Global Privacy Control is counted, and is no lead’s, also when its event is gone', async () => {
  const signal = { 'sec-gpc': '1' };
  const [free, signalled] = [
    { email: address(), anonId: anon() },
    { email: address(), anonId: anon() },
  ];
  for (const { email, anonId } of [free, signalled]) {
    await page('site-form', anonId, '/');
    await capture('site-form', { email, anonId });
  }
  const signUp = (anonId: string, headers = {}) =>
    page('site-form', anonId, '/welcome', headers, { eventType: 'signup' });
  await signUp(free.anonId);
  await signUp(signalled.anonId, signal);
  const rollUp = () => call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  await rollUp();
  const signedUp = async ({ email }: { email: string }) =>
    (
      await rows('select signed_up_at is not null as has from lead_facts where lead_id = $1', [
        (await leadOf(email)).lead_id,
      ])
    )[0].has;
  assert.deepEqual([await signedUp(free), await signedUp(signalled)], [true, false]);
  const visitors = await Promise.all(
    [free, signalled].map(async ({ email, anonId }) => visitorIdOf((await leadOf(email)).site_id, anonId)),
  );
  const told = await rows(
    'select privacy_signal from conversions where visitor_id = any ($1) order by privacy_signal',
    [visitors],
  );
  assert.deepEqual(
    told.map(({ privacy_signal }) => privacy_signal),
    [false, true],
  );
  // the numbers of the day stay what they were when raw rows are kept no longer
  await rows('delete from events where visitor_id = any ($1)', [visitors]);
  await rows(
    'insert into dirty_leads (site_id, visitor_id) select site_id, visitor_id from visitors where visitor_id = any ($1)',
    [visitors],
  );
  await rows('select refresh_lead_facts(site_id, 1000) from sites where key = $1', ['site-form']);
  assert.deepEqual([await signedUp(free), await signedUp(signalled)], [true, false]);
});

// Whether a lead is tied to what its browser did: a site's setting, a person's objection, and what ends it for good.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken } from '../consent/link.ts';
import { withdrawDisplay } from '../display/display.ts';
import { visitorIdOf } from '../events/enrich.ts';

let server: TestServer;
before(async () => {
  // nothing leaves: the links of mails are read off the rows
  server = await startServer({
    SMTP_URL: 'smtp://127.0.0.1:1',
    MAIL_FROM: 'hello@bakery.example',
    MAIL_SENDER: 'The bakery, 1 Lane, Toronto',
    PUBLIC_URL: 'https://api.bakery.example',
  });
  for (const linking of ['off', 'consent', 'form', 'on', undefined])
    await call(
      `${server.url}/v1/sites`,
      'POST',
      { key: `site-${linking}`, name: `${linking}`, settings: linking ? { linking } : {} },
      admin,
    );
  await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'site-twice', name: 'twice', settings: { linking: 'consent', doubleOptIn: true } },
    admin,
  );
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const page = (propertyId: string, anonId: string, path: string, headers = {}, fields = {}) =>
  call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId, path, propertyId, ...fields }), headers);
const capture = (propertyId: string, body: object, headers = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { propertyId, ...body }, headers);
const linksOf = async (email: string): Promise<string[]> =>
  (
    await rows(
      `select link_source from lead_identities i join leads l using (site_id, lead_id)
       where email_normalized = $1 and unlinked_at is null order by 1`,
      [email],
    )
  ).map((row) => row.link_source);
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];
const timelineOf = async (email: string): Promise<string[]> =>
  (
    await call(`${server.url}/v1/leads/${await leadIdOf(server, email)}`, 'GET', undefined, admin)
  ).body.events.map(({ path }: { path: string }) => path);

const EXPRESS = { consentStatus: 'express' };
const PROFILE = { ...EXPRESS, consent: { text: 'Tie my visits to me.', purposes: ['email', 'profile'] } };
const LETTER = { ...EXPRESS, consent: { text: 'Write to me.' } };
const CASES: [setting: string | undefined, submission: object, links: string[]][] = [
  ['off', PROFILE, []],
  ['consent', {}, []],
  ['consent', LETTER, []],
  ['consent', { ...PROFILE, consentStatus: 'pending' }, []],
  ['consent', { ...PROFILE, consent: { ...PROFILE.consent, given: false } }, []],
  // agreed to what nobody can show: it waits
  ['consent', { ...PROFILE, consent: { purposes: ['email', 'profile'] } }, []],
  ['consent', { ...PROFILE, consent: { textId: randomUUID(), purposes: ['email', 'profile'] } }, []],
  ['consent', PROFILE, ['form_submit']],
  ['form', {}, ['form_submit']],
  [undefined, {}, ['form_submit']],
  ['on', {}, ['form_submit', 'same_ip_ua_window']],
];
for (const [n, [setting, submission, links]] of CASES.entries())
  test(`linking ${setting ?? 'as it is by default'}, submission ${JSON.stringify(submission)}: ${links.join(' and ') || 'tied to nothing'}`, async () => {
    const site = `site-${setting}`;
    const headers = { 'user-agent': `${BROWSER} case-${n}` };
    const email = address();
    const anonId = anon();
    await page(site, anon(), '/a-neighbour', headers);
    // an earlier visit, hours ago, and the one the form is in
    await page(site, anonId, '/secret-topic', headers, {
      timestamp: Date.now() - 7_200_000,
      referrer: 'https://www.google.com/',
    });
    await page(site, anonId, '/offer', headers, { referrer: 'https://news.example/' });
    await capture(site, { email, anonId, path: '/form', ...submission }, headers);
    assert.deepEqual(await linksOf(email), links);
    const lead = await leadOf(email);
    const isTied = links.length > 0;
    assert.deepEqual(
      [lead.first_source, lead.first_path, lead.first_visitor_id !== null],
      isTied ? ['organic_search', '/secret-topic', true] : ['referral', '/offer', false],
    );
    assert.equal((await timelineOf(email)).includes('/secret-topic'), isTied);
  });

/** The button behind the link of the mail that a form asked for last. */
async function confirm(email: string, headers = {}): Promise<void> {
  const [asked] = await rows(
    `select o.site_id, o.token from opt_ins o join leads l using (site_id, lead_id)
     where l.email_normalized = $1 order by o.requested_at desc limit 1`,
    [email],
  );
  const path = `/v1/confirm/${linkToken(asked.site_id, asked.token)}`;
  const { status } = await call(server.url + path, 'POST', '', {
    'content-type': 'application/x-www-form-urlencoded',
    ...headers,
  });
  assert.equal(status, 200);
}

test('linking consent with double opt-in: tied to nothing before the confirmation, and by it to the browser of its form', async () => {
  const email = address();
  const anonId = anon();
  await page('site-twice', anonId, '/secret-topic', {}, { timestamp: Date.now() - 7_200_000 });
  await page('site-twice', anonId, '/offer', {}, { referrer: 'https://news.example/' });
  await capture('site-twice', { email, anonId, path: '/form', ...PROFILE });
  assert.deepEqual(await linksOf(email), []);
  assert.deepEqual(await timelineOf(email), []);
  const before = await leadOf(email);
  assert.deepEqual([before.first_path, before.first_visitor_id], ['/offer', null]);
  await confirm(email);
  assert.deepEqual(await linksOf(email), ['form_submit']);
  assert.ok((await timelineOf(email)).includes('/secret-topic'));
  const { first_path, first_visitor_id } = await leadOf(email);
  assert.deepEqual([first_path, first_visitor_id], ['/offer', null], 'a first touch is never overwritten');
});

for (const [why, submission, headers] of [
  ['of something else than profile', LETTER, {}],
  ['of a form sent under Global Privacy Control', PROFILE, { 'sec-gpc': '1' }],
] as const)
  test(`linking consent: the confirmation ${why} ties to nothing`, async () => {
    const email = address();
    const anonId = anon();
    await page('site-twice', anonId, '/secret-topic');
    await capture('site-twice', { email, anonId, path: '/form', ...submission }, headers);
    await confirm(email);
    assert.equal((await leadOf(email)).consent_status, 'express');
    assert.deepEqual(await linksOf(email), []);
  });

test('linking consent: what was agreed to before holds for the next form, until it is withdrawn', async () => {
  const email = address();
  await capture('site-consent', { email, anonId: anon(), ...PROFILE });
  await capture('site-consent', { email, anonId: anon(), formName: 'a question' });
  assert.deepEqual(await linksOf(email), ['form_submit', 'form_submit']);
  await call(`${server.url}/v1/leads/unsubscribe`, 'POST', {
    email,
    propertyId: 'site-consent',
    purposes: ['profile'],
  });
  await capture('site-consent', { email, anonId: anon(), formName: 'another', ...LETTER });
  assert.deepEqual(await linksOf(email), ['form_submit', 'form_submit']);
});

test('what a browser does after a withdrawal joins no lead any more, and the link is not made again', async () => {
  const email = address();
  const anonId = anon();
  await page('site-form', anonId, '/before');
  await capture('site-form', { email, anonId, ...LETTER });
  await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, propertyId: 'site-form' });
  await page('site-form', anonId, '/after');
  assert.ok((await timelineOf(email)).includes('/before'));
  assert.ok(!(await timelineOf(email)).includes('/after'));
  await call(
    `${server.url}/v1/conversions`,
    'POST',
    { id: `later-${anonId}`, kind: 'signup', anonId, propertyId: 'site-form' },
    admin,
  );
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const [facts] = await rows(
    'select f.signed_up_at from lead_facts f join leads l using (site_id, lead_id) where email_normalized = $1',
    [email],
  );
  assert.equal(facts.signed_up_at, null);
});

test('a withdrawal of another purpose than mail and profile ends no link', async () => {
  const email = address();
  const anonId = anon();
  await capture('site-form', {
    email,
    anonId,
    ...EXPRESS,
    consent: { text: 'Partners.', purposes: ['partners'] },
  });
  await call(`${server.url}/v1/leads/unsubscribe`, 'POST', {
    email,
    propertyId: 'site-form',
    purposes: ['partners'],
  });
  await page('site-form', anonId, '/still');
  assert.ok((await timelineOf(email)).includes('/still'));
});

test('who objects to being profiled is untied for good, and may take that back', async () => {
  const email = address();
  const anonId = anon();
  await page('site-on', anonId, '/read');
  await capture('site-on', { email, anonId });
  const leadId = await leadIdOf(server, email);
  const restrict = (body: object) => call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', body, admin);
  const made = await restrict({ profiling: true, how: 'a letter of 3 November' });
  assert.equal(made.body.noProfiling, true);
  assert.ok(made.body.linksUndone >= 1);
  assert.deepEqual(await timelineOf(email), []);
  await capture('site-on', { email, anonId, formName: 'again' });
  await capture('site-on', { email, anonId: anon(), formName: 'elsewhere' });
  assert.deepEqual(await linksOf(email), []);
  await restrict({ profiling: false });
  await capture('site-on', { email, anonId, formName: 'and again' });
  assert.deepEqual(await linksOf(email), [], 'what was undone is not made again');
  await capture('site-on', { email, anonId: anon(), formName: 'another browser' });
  assert.deepEqual((await linksOf(email)).slice(0, 1), ['form_submit']);
  assert.equal((await restrict({})).status, 400);
  const { body } = await call(`${server.url}/v1/admin/requests/search`, 'POST', { email }, admin);
  assert.deepEqual(
    body.requests.map(({ kind, outcome }: { kind: string; outcome: string }) => [kind, outcome]),
    [['objection', 'done']],
  );
});

test('a restricted lead is kept and nothing else: in no export, in no list for mailing', async () => {
  const email = address();
  await capture('site-form', { email, ...LETTER });
  const leadId = await leadIdOf(server, email);
  const seen = async () => {
    const csv = await fetch(`${server.url}/v1/leads/export.csv?propertyId=site-form`, { headers: admin });
    const list = await call(
      `${server.url}/v1/leads?propertyId=site-form&mailable=true`,
      'GET',
      undefined,
      admin,
    );
    const all = await call(`${server.url}/v1/leads?propertyId=site-form`, 'GET', undefined, admin);
    return [await csv.text(), JSON.stringify(list.body), JSON.stringify(all.body)].map((text) =>
      text.includes(email),
    );
  };
  assert.deepEqual(await seen(), [true, true, true]);
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: true }, admin);
  assert.deepEqual(await seen(), [false, false, true]);
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: false }, admin);
  assert.deepEqual(await seen(), [true, true, true]);
});

test('a restricted lead is tied to no browser, and nothing that its browsers do joins it', async () => {
  const email = address();
  const [first, second] = [anon(), anon()];
  await page('site-form', first, '/before');
  await capture('site-form', { email, anonId: first, ...LETTER });
  const leadId = await leadIdOf(server, email);
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: true }, admin);
  await page('site-form', first, '/after');
  await page('site-form', second, '/after-elsewhere');
  await capture('site-form', { email, anonId: second, formName: 'a question' });
  const merge = () =>
    call(
      `${server.url}/v1/identities/merge`,
      'POST',
      { leadId, anonId: second, propertyId: 'site-form' },
      admin,
    );
  assert.deepEqual([(await merge()).status, (await merge()).body.error], [409, 'conflict']);
  assert.deepEqual(await linksOf(email), ['form_submit']);
  const paths = await timelineOf(email);
  assert.ok(paths.includes('/before'));
  assert.ok(!paths.some((path) => path.startsWith('/after')), String(paths));
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: false }, admin);
  await capture('site-form', { email, anonId: anon(), formName: 'later' });
  assert.deepEqual(await linksOf(email), ['form_submit', 'form_submit']);
});

test('a site that narrows its linking follows nobody further whom the new value would not tie, and keeps what was', async () => {
  const all = ['form', 'agreed', 'guessed', 'merged'] as const;
  const stays: [from: string, to: string | null, links: readonly string[]][] = [
    ['on', 'form', ['form', 'agreed', 'merged']],
    ['on', null, ['form', 'agreed', 'merged']],
    ['on', 'consent', ['agreed', 'merged']],
    ['on', 'off', ['merged']],
    ['form', 'consent', ['agreed', 'merged']],
    ['form', 'off', ['merged']],
    ['consent', 'off', ['merged']],
    ['consent', 'form', ['agreed', 'merged']],
    ['form', 'on', ['form', 'agreed', 'merged']],
  ];
  for (const [from, to, links] of stays) {
    const key = `narrowed-${from}-${to}`;
    const made = await call(
      `${server.url}/v1/sites`,
      'POST',
      { key, name: key, settings: { linking: from } },
      admin,
    );
    const headers = { 'user-agent': `${BROWSER} ${key}` };
    const people = Object.fromEntries(
      all.map((who) => [who, { email: address(), anonId: anon() }]),
    ) as Record<(typeof all)[number], { email: string; anonId: string }>;
    const { form, agreed, guessed, merged } = people;
    const guess = anon();
    await page(key, guess, '/before', headers);
    await capture(key, { ...guessed, ...LETTER }, headers);
    await capture(key, { ...form, ...LETTER });
    await capture(key, { ...agreed, ...PROFILE });
    await capture(key, { email: merged.email });
    const { body } = await page(key, merged.anonId, '/before');
    await call(
      `${server.url}/v1/identities/merge`,
      'POST',
      { leadId: await leadIdOf(server, merged.email), visitorId: body.visitorId, propertyId: key },
      admin,
    );
    const openOf = async (email: string, source: string) =>
      (
        await rows(
          `select ended_at is null as open from lead_identities i join leads l using (site_id, lead_id)
           where email_normalized = $1 and link_source = $2 and unlinked_at is null`,
          [email, source],
        )
      ).map(({ open }) => open);
    const before = await openOf(form.email, 'form_submit');
    const { status } = await call(
      `${server.url}/v1/sites/${made.body.site.siteId}`,
      'PATCH',
      { settings: { linking: to } },
      admin,
    );
    assert.equal(status, 200);
    const way = `${from} to ${to}`;
    assert.deepEqual(
      await openOf(form.email, 'form_submit'),
      before.map(() => links.includes('form')),
      way,
    );
    assert.deepEqual(await openOf(agreed.email, 'form_submit'), [links.includes('agreed')], way);
    assert.deepEqual(
      await openOf(guessed.email, 'same_ip_ua_window'),
      from === 'on' ? [links.includes('guessed')] : [],
      way,
    );
    assert.deepEqual(await openOf(merged.email, 'manual_merge'), [true], way);
    for (const who of ['form', 'agreed', 'merged'] as const) {
      await page(key, people[who].anonId, '/after');
      const paths = await timelineOf(people[who].email);
      assert.equal(paths.includes('/after'), links.includes(who), `${way}, ${who}: ${paths}`);
    }
  }
});

test('the link of a form or of an address is undone by hand, by name or all, and not made again', async () => {
  const headers = { 'user-agent': `${BROWSER} unmerge` };
  const email = address();
  const anonId = anon();
  await page('site-on', anon(), '/neighbour', headers);
  const { body } = await capture('site-on', { email, anonId }, headers);
  const leadId = await leadIdOf(server, email);
  const undo = (more: object) =>
    call(`${server.url}/v1/identities/unmerge`, 'POST', { leadId, propertyId: 'site-on', ...more }, admin);
  const wrong = await undo({ visitorId: body.visitorId, linkSource: 'same_ip_ua_window' });
  assert.equal(wrong.status, 404);
  const form = await undo({ visitorId: body.visitorId });
  assert.deepEqual(form.body, { ok: true, unlinked: true, linkSources: ['form_submit'] });
  const [guessed] = await rows(
    "select visitor_id from lead_identities where lead_id = $1 and link_source = 'same_ip_ua_window'",
    [leadId],
  );
  await undo({ visitorId: guessed.visitor_id, linkSource: 'same_ip_ua_window' });
  assert.deepEqual(await linksOf(email), []);
  await capture('site-on', { email, anonId, formName: 'again' }, headers);
  assert.deepEqual(await linksOf(email), []);
});

test('an address is corrected: history and consent stay, the one before is kept as a hash, another lead’s is refused', async () => {
  const [wrong, right, other] = [address(), address(), address()];
  await capture('site-form', { email: wrong, ...LETTER });
  await capture('site-form', { email: other });
  const leadId = await leadIdOf(server, wrong);
  const correct = (email: string) =>
    call(`${server.url}/v1/leads/${leadId}`, 'PATCH', { email, how: 'by telephone' }, admin);
  assert.equal((await correct(other)).status, 409);
  assert.equal((await correct('no address')).status, 400);
  const { status, body } = await correct(` ${right.toUpperCase()} `);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.leadId, leadId);
  assert.equal(await leadIdOf(server, right), leadId);
  assert.equal(await leadIdOf(server, wrong), undefined);
  const evidence = await call(`${server.url}/v1/leads/${leadId}/consent`, 'GET', undefined, admin);
  assert.deepEqual([evidence.body.chain.valid, evidence.body.chain.length], [true, 1]);
  const all = await call(
    `${server.url}/v1/leads/export-subject`,
    'POST',
    { email: right, propertyId: 'site-form' },
    admin,
  );
  assert.equal(all.body.subject.leadRectifications.length, 1);
  assert.equal(all.body.subject.leadRectifications[0].evidence, 'by telephone');
  const erased = await call(`${server.url}/v1/leads/delete`, 'POST', { email: right }, admin);
  assert.equal(erased.body.erased.lead_rectifications, 1);
});

test('a corrected address is bound by what it unsubscribed from while it was nobody’s, unless its person agreed since', async () => {
  const correct = async (from: string, to: string) =>
    call(
      `${server.url}/v1/leads/${await leadIdOf(server, from)}`,
      'PATCH',
      { email: to, how: 'a letter' },
      admin,
    );
  const unsubscribe = (email: string, purposes?: string[]) =>
    call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, propertyId: 'site-form', purposes });
  const [typo, right] = [address(), address()];
  await capture('site-form', {
    email: typo,
    anonId: anon(),
    ...LETTER,
    payload: { name: 'Ada' },
    display: { text: 'You may name me.' },
  });
  await unsubscribe(right, ['email']);
  await withdrawDisplay(server.database.app, {
    site_id: (await leadOf(typo)).site_id,
    at: new Date().toISOString(),
    basis: 'request',
    email_normalized: right,
    email_hash: server.services.leads.hashAddress((await leadOf(typo)).site_id, right),
  });
  assert.equal((await correct(typo, right)).status, 200);
  const lead = await leadOf(right);
  assert.equal(lead.consent_status, 'withdrawn');
  assert.ok(lead.display_withdrawn_at);
  const [named] = await rows(
    'select display_stands(site_id, lead_id) as stands from leads where lead_id = $1',
    [lead.lead_id],
  );
  assert.equal(named.stands, false);
  const list = await call(
    `${server.url}/v1/leads?propertyId=site-form&mailable=true`,
    'GET',
    undefined,
    admin,
  );
  assert.ok(!JSON.stringify(list.body).includes(right));

  const [mistyped, back] = [address(), address()];
  await unsubscribe(back);
  await capture('site-form', { email: mistyped, ...LETTER });
  assert.equal((await correct(mistyped, back)).status, 200);
  assert.equal((await leadOf(back)).consent_status, 'express');
});

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

// Whether a lead is tied to what its browser did: a site's setting, and what ends it for good. What a person may ask: erasure/rights.test.ts.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { LETTER, tiesOf } from '../../../test/ties.ts';
import { linkToken } from '../consent/link.ts';

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

const { rows, page, capture, linksOf, leadOf, timelineOf } = tiesOf(() => server);

const EXPRESS = { consentStatus: 'express' };
const PROFILE = { ...EXPRESS, consent: { text: 'Tie my visits to me.', purposes: ['email', 'profile'] } };
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

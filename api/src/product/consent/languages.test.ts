// In which language people are spoken to, on every page and in every mail; and the notice that each of them leads to.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { en } from '../../ground/words/en.ts';
import { fr } from '../../ground/words/fr.ts';
import { acceptedLanguage, readLanguage } from '../../ground/words/language.ts';
import { noticeEn } from '../../ground/words/notice-en.ts';
import { noticeFr } from '../../ground/words/notice-fr.ts';
import { confirmationMail } from '../mails/confirmation.ts';
import { linkToken, newKey } from './link.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer({ TURNSTILE_SECRET: 'x', TURNSTILE_VERIFY_URL: 'http://127.0.0.1:9' });
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const settings = (given: Record<string, unknown>) =>
  call(`${server.url}/v1/sites/${site}`, 'PATCH', { settings: given }, admin);
const browser = (accept: string) => ({
  accept: 'text/html',
  ...(accept ? { 'accept-language': accept } : {}),
});
const form = (fields: Record<string, string>, accept: string, path = '/v1/leads/capture') =>
  call(`${server.url}${path}`, 'POST', new URLSearchParams(fields).toString(), {
    ...browser(accept),
    'content-type': 'application/x-www-form-urlencoded',
  });
const languageOf = (page: { body: string; headers: Headers }) => {
  const [, lang] = /<html lang="(\w+)">/.exec(page.body) ?? [];
  assert.equal(page.headers.get('content-language'), lang);
  return lang;
};

// consent's, site's, browser's → spoken
const CASES: [string, string | null, string, 'en' | 'fr'][] = [
  ['fr', null, 'en', 'fr'],
  ['fr-CA', 'en', 'en-CA', 'fr'],
  ['en', 'fr', 'fr', 'en'],
  ['', 'fr', 'en', 'fr'],
  ['', 'en', 'fr', 'en'],
  ['', null, 'fr-CA,fr;q=0.9,en;q=0.8', 'fr'],
  ['', null, 'de, en;q=0.3, fr;q=0.7', 'fr'],
  ['', null, 'de', 'en'],
  ['', null, '', 'en'],
  ['de', 'fr', 'en', 'fr'],
];

test('every page after a form and behind a link speaks by the consent, then the site, then the browser, and leads to the notice', async () => {
  for (const [consent, ofSite, accept, expected] of CASES) {
    const what = `${consent || '-'}, ${ofSite}, ${accept || '-'}`;
    await settings({ language: ofSite });
    const words = expected === 'fr' ? fr : en;
    const check = (page: { body: string; headers: Headers }, holds: string) => {
      assert.equal(languageOf(page), expected, what);
      assert.ok(page.body.includes(`<h1>${holds.replaceAll("'", '&#39;')}</h1>`), `${what}: ${holds}`);
      assert.ok(page.body.includes(`href="/v1/privacy?lang=${expected}`), what);
    };
    const email = address();
    const said = consent ? { 'consent[language]': consent } : {};
    const sent = await form({ email, 'consent[text]': 'Oui.', ...said }, accept);
    assert.equal(sent.status, 303);
    check(
      await call(`${server.url}${sent.headers.get('location')}`, 'GET', undefined, browser('de')),
      words.thankYou,
    );
    check(await form({ email: 'nobody', ...said }, accept), words.checkAddress);
    check(await form({ email, propertyId: 'unknown', ...said }, accept), words.notSent);
    const [lead] = await rows('select unsubscribe_key as key from leads where email_normalized = $1', [
      email,
    ]);
    const query = consent ? `?lang=${consent}` : '';
    const link = (kind: string, key: string) => `${server.url}/v1/${kind}/${linkToken(site, key)}${query}`;
    const look = (url: string, method = 'GET') =>
      call(url, method, method === 'POST' ? '' : undefined, browser(accept));
    check(await look(link('unsubscribe', lead.key)), words.unsubscribe);
    check(await look(link('unsubscribe', lead.key), 'POST'), words.unsubscribed);
    check(await look(link('unsubscribe', newKey()), 'POST'), words.linkBroken);
    check(await look(link('confirm', newKey())), words.confirmTitle);
    check(await look(link('confirm', newKey()), 'POST'), words.linkBroken);
    if (!consent)
      check(await form({ email, propertyId: 'default' }, accept, '/v1/leads/unsubscribe'), words.done);
  }
  await settings({ language: null });
});

test('a link that says no language, out of a list, a table, a file or the evidence, speaks as its person agreed', async () => {
  const linksOf = async (email: string, leadId: string): Promise<string[]> => {
    const get = async (path: string) => (await call(`${server.url}${path}`, 'GET', undefined, admin)).body;
    const post = async (path: string, body: object) =>
      (await call(`${server.url}${path}`, 'POST', body, admin)).body;
    const csv = String(await get('/v1/leads/export.csv?columns=email,unsubscribeUrl'));
    return [
      (await get('/v1/leads?limit=200')).leads.find((lead: { email: string }) => lead.email === email),
      (await post('/v1/leads/search', { q: email })).leads[0],
      (await post('/v1/leads/export-subject', { email })).subject,
      await get(`/v1/leads/${leadId}/consent`),
      {
        unsubscribeUrl: csv
          .split('\r\n')
          .find((line) => line.startsWith(email))!
          .split(',')[1],
      },
    ].map(({ unsubscribeUrl }) => String(unsubscribeUrl));
  };
  const leadOf = async (email: string) =>
    (await rows('select lead_id, unsubscribe_key as key from leads where email_normalized = $1', [email]))[0];
  for (const [consent, ofSite, accept, expected] of CASES) {
    const what = `${consent || '-'}, ${ofSite}, ${accept || '-'}`;
    await settings({ language: ofSite });
    const email = address();
    const agreed = { email, consentStatus: 'express', 'consent[text]': 'Oui.' };
    await form({ ...agreed, ...(consent ? { 'consent[language]': consent } : {}) }, accept);
    const { lead_id: leadId, key } = await leadOf(email);
    const links = await linksOf(email, leadId);
    assert.equal(new Set(links).size, 1);
    const [link] = links as [string];
    const path = new URL(link).pathname;
    assert.equal(new URL(link).search, '', 'whoever sends mails of several kinds adds ?purpose= to it');
    const look = async (query: string, body?: string) =>
      languageOf(
        await call(`${server.url}${path}${query}`, body === undefined ? 'GET' : 'POST', body, {
          ...browser(accept),
          'content-type': 'application/x-www-form-urlencoded',
        }),
      );
    assert.equal(await look(''), expected, what);
    assert.equal(await look('?purpose=newsletter'), expected, what);
    assert.equal(await look('?lang=en'), 'en', 'what the link says goes first');
    assert.equal(await look('?lang=fr'), 'fr', 'what the link says goes first');
    assert.equal(await look('', 'what=purpose'), expected, what);
    assert.equal(await look('', 'List-Unsubscribe=One-Click'), expected, what);
    const hidden = await form({ token: linkToken(site, key), show: 'false' }, accept, '/v1/leads/display');
    assert.equal(languageOf(hidden), expected, what);
    // who reads another language now says so by what they agree to last
    await form({ ...agreed, 'consent[text]': 'Anew.', 'consent[language]': 'fr' }, accept);
    assert.equal(await look(''), 'fr', what);
  }
  await settings({ language: null });
});

test('a published text that a form names says its reader’s language', async () => {
  const { text } = (
    await call(
      `${server.url}/v1/sites/${site}/consent-texts`,
      'POST',
      { name: 'lettre', language: 'fr-CA', words: 'Écrivez-moi.' },
      admin,
    )
  ).body;
  const sent = await form(
    { email: address(), consentStatus: 'express', 'consent[textId]': text.textId },
    'en',
  );
  assert.match(sent.headers.get('location')!, /lang=fr/);
});

test('the mail speaks as the consent did, and its links go on so', () => {
  const about = {
    from: 'a@b.example',
    publicUrl: 'https://api.example',
    senderDefaults: { sender: undefined, contact: undefined },
  };
  const { list } = server.services.sites;
  const [mill] = list();
  for (const [language, ofSite, expected] of [
    ['fr-CA', undefined, 'fr'],
    [null, 'fr', 'fr'],
    ['und', 'fr', 'fr'],
    ['en', 'fr', 'en'],
    [null, undefined, 'en'],
  ] as const) {
    const spoken = {
      ...mill!,
      settings: { senderName: 'Le Moulin', ...(ofSite ? { language: ofSite } : {}) },
    };
    const mail = confirmationMail(spoken, { token: newKey(), unsubscribeKey: newKey(), language }, about);
    const words = expected === 'fr' ? fr : en;
    assert.equal(mail.subject, words.mailSubject('Le Moulin'));
    assert.match(mail.html, new RegExp(`<html lang="${expected}">`));
    for (const part of [mail.text, mail.html]) {
      assert.match(part, new RegExp(`/v1/confirm/[\\w-]{54}\\?lang=${expected}`));
      assert.match(part, new RegExp(`/v1/unsubscribe/[\\w-]{54}\\?lang=${expected}`));
      assert.match(part, new RegExp(`/v1/privacy\\?lang=${expected}`));
    }
    assert.match(mail.headers['List-Unsubscribe'], /\/v1\/unsubscribe\/[\w-]{54}>$/);
  }
});

test('languages are read from tags and headers as they come', () => {
  for (const [tag, language] of [
    ['fr', 'fr'],
    ['FR_ca', 'fr'],
    ['en-GB', 'en'],
    ['frisian', undefined],
    ['', undefined],
    [7, undefined],
    [null, undefined],
  ] as const)
    assert.equal(readLanguage(tag), language, String(tag));
  for (const [header, language] of [
    ['fr', 'fr'],
    ['en;q=0.5,fr', 'fr'],
    ['en,fr', 'en'],
    ['fr;q=0,en;q=0.1', 'en'],
    ['*', undefined],
    ['', undefined],
    [`${'de,'.repeat(10_000)}fr`, undefined],
  ] as const)
    assert.equal(acceptedLanguage(header), language, header.slice(0, 40));
});

const FACTS = {
  who: 'Mill',
  address: '2 Mill Lane',
  contact: 'mia@mill.example',
  officer: 'Mia',
  policyUrl: 'https://mill.example/p',
  policyVersion: '7',
  storedIn: 'Montréal',
  mailServer: 'smtp.example',
  challenge: true,
  backupsElsewhere: 'encrypted' as const,
  doubleOptIn: true,
  linking: 'on' as const,
  guessedLinks: true,
  scored: true,
  personalWebhooks: true,
  namesShown: true,
  reviews: true,
  purchases: true,
  periods: {
    eventDays: 91,
    rollupMonths: 25,
    payloadMonths: 13,
    quarantineDays: 31,
    lapsedLeadDays: 32,
    unconfirmedLeadDays: 33,
    pendingLeadMonths: 17,
    withdrawnLeadYears: 7,
    consentRecordYears: 4,
    unsubscribedYears: 5,
    reviewYears: 6,
    backupDays: 36,
  },
};

test('both languages say everything, and differ', () => {
  const [english, french] = [noticeEn(FACTS), noticeFr(FACTS)];
  assert.deepEqual(
    french.sections.map(({ lines }) => lines.length),
    english.sections.map(({ lines }) => lines.length),
  );
  for (const text of [JSON.stringify(english), JSON.stringify(french)])
    for (const fact of [
      ...Object.values(FACTS.periods),
      'Mill',
      '2 Mill Lane',
      'mia@mill.example',
      'Mia',
      'mill.example/p',
      '7',
      'Montréal',
      'smtp.example',
      'Turnstile',
      'Global Privacy Control',
    ])
      assert.ok(text.includes(String(fact)), `${fact} in ${text.slice(0, 60)}`);
  const say = (word: unknown) => (typeof word === 'function' ? word('Mill', 9) : word);
  for (const name of Object.keys(en) as (keyof typeof en)[])
    assert.notDeepEqual(say(fr[name]), say(en[name]), name);
});

test('a person gets the notice as a page made from the settings in force; a machine gets the same as facts', async () => {
  const notice = (accept: Record<string, string>, query = '') =>
    call(`${server.url}/v1/privacy${query}`, 'GET', undefined, accept);
  const before = await notice(browser('en'));
  assert.match(before.body, /No address for questions has been given yet/);
  await call(
    `${server.url}/v1/sites/${site}`,
    'PATCH',
    {
      name: 'The Mill',
      settings: {
        senderAddress: '2 Mill Lane, York',
        senderContact: 'mia@mill.example',
        privacyOfficer: 'Mia, miller',
        storedIn: 'Montréal, Canada',
        policyUrl: 'https://mill.example/privacy',
        policyVersion: '2026-11',
      },
    },
    admin,
  );
  const page = await notice(browser('fr'));
  assert.equal(languageOf(page), 'fr');
  for (const part of [
    'The Mill, 2 Mill Lane, York',
    'mia@mill.example',
    'Mia, miller',
    'Montréal, Canada',
    '2026-11',
    '90 jours',
    'sel aléatoire qui vit deux jours',
    'Cloudflare Turnstile',
    'cai.gouv.qc.ca',
    'priv.gc.ca',
  ])
    assert.ok(page.body.includes(part), part);
  assert.doesNotMatch(page.body, /service de courriel/, 'no mail server is set');
  assert.match((await notice(browser('fr'), '?lang=en')).body, /random salt that lives two days/);
  const { body, headers } = await notice({ accept: 'application/json' });
  assert.equal(headers.get('vary')?.includes('Accept'), true);
  assert.deepEqual(body.controller, {
    name: 'The Mill',
    address: '2 Mill Lane, York',
    contact: 'mia@mill.example',
    officer: 'Mia, miller',
  });
  assert.deepEqual(
    [body.contact, body.storedIn, body.recipients],
    ['mia@mill.example', 'Montréal, Canada', ['turnstile']],
  );
  assert.equal(body.notice.language, 'en');
});

test('the notice of a site tells of purchases, reviews, names and other systems where they are in force, and nowhere else', async () => {
  const [key, other] = [`uses-${randomUUID()}`, `plain-${randomUUID()}`];
  for (const made of [key, other]) await call(`${server.url}/v1/sites`, 'POST', { key: made }, admin);
  const email = address();
  const made = [
    await call(`${server.url}/v1/leads/capture`, 'POST', {
      propertyId: key,
      email,
      anonId: anon(),
      display: { text: 'May the mill show my first name?', name: 'Ada', city: 'York', country: 'CA' },
    }),
    await call(
      `${server.url}/v1/conversions`,
      'POST',
      { propertyId: key, id: email, kind: 'purchase', email },
      admin,
    ),
    await call(`${server.url}/v1/reviews`, 'POST', {
      propertyId: key,
      email,
      anonId: anon(),
      rating: 5,
      text: 'Good flour.',
    }),
    await call(
      `${server.url}/v1/sites/${key}/webhooks`,
      'POST',
      { url: 'https://hooks.mill.example/', types: ['conversion.recorded'], personal: true },
      admin,
    ),
  ];
  for (const { status, body } of made) assert.ok(status < 300, JSON.stringify(body));
  const notice = (propertyId: string, lang: string) =>
    call(`${server.url}/v1/privacy?propertyId=${propertyId}&lang=${lang}`, 'GET', undefined, {
      accept: 'application/json',
    });
  for (const [lang, said] of [
    [
      'en',
      [
        /what is bought/,
        /Of a purchase/,
        /Of a review/,
        /see your first name and your place, and your review/,
        /Other systems of ours/,
        /A review: 5 years/,
      ],
    ],
    [
      'fr',
      [
        /ce qui est acheté/,
        /D’un achat/,
        /D’un avis/,
        /voient votre prénom et votre lieu, et votre avis/,
        /D’autres systèmes à nous/,
        /Un avis : 5 ans/,
      ],
    ],
  ] as const) {
    const [used, plain] = [await notice(key, lang), await notice(other, lang)];
    for (const line of said) {
      assert.match(JSON.stringify(used.body.notice), line);
      assert.doesNotMatch(JSON.stringify(plain.body.notice), line);
    }
    assert.deepEqual(used.body.recipients, ['turnstile', 'own_systems', 'site_visitors']);
    assert.deepEqual(plain.body.recipients, ['turnstile']);
  }
});

test('a site whose visitors have nobody to ask is counted in the status until it has', async () => {
  const key = `quiet-${randomUUID()}`;
  const made = await call(`${server.url}/v1/sites`, 'POST', { key }, admin);
  const status = async () =>
    (await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin)).body.privacyContact;
  const without = (await status()).sitesWithout;
  assert.ok(without >= 1);
  await call(
    `${server.url}/v1/sites/${made.body.site.siteId}`,
    'PATCH',
    { settings: { senderContact: 'a@b.example' } },
    admin,
  );
  assert.equal((await status()).sitesWithout, without - 1);
});

test('the host says that it honours Global Privacy Control', async () => {
  const { status, body, headers } = await call(`${server.url}/.well-known/gpc.json`);
  assert.equal(status, 200);
  assert.match(headers.get('content-type')!, /^application\/json/);
  assert.equal(body.gpc, true);
  assert.match(body.lastUpdate, /^\d{4}-\d\d-\d\d$/);
  assert.equal(
    (await call(`${server.url}/v1/leads/capture`, 'POST', { email: address(), anonId: anon() })).status,
    200,
  );
});

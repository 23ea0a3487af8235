// The page behind the link in a mail: everything ends, or only what the mail was for; and one click in the mail program.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken } from './link.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer();
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;

/** Somebody who agreed to mails, a letter and partners; with their link. */
async function subscriber() {
  const email = address();
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    consentStatus: 'express',
    consent: { text: 'Write, send the letter, share.', purposes: ['email', 'letter', 'partners'] },
  });
  const [{ key, leadId }] = await rows(
    'select unsubscribe_key as key, lead_id as "leadId" from leads where email_normalized = $1',
    [email],
  );
  const standing = async () =>
    Object.fromEntries(
      (await rows('select purpose, status from consent_standings($1, $2)', [site, leadId])).map((one) => [
        one.purpose,
        one.status,
      ]),
    );
  return { email, leadId, url: `${server.url}/v1/unsubscribe/${linkToken(site, key)}`, standing };
}
const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
const GONE = { email: 'withdrawn', letter: 'withdrawn', partners: 'withdrawn' };
const KEPT = { email: 'express', letter: 'express', partners: 'express' };

test('what is chosen ends, and nothing else; what is posted without a choice ends everything', async () => {
  const cases: [query: string, body: string, then: Record<string, string>][] = [
    ['', '', GONE],
    ['', 'what=all', GONE],
    ['', 'what=purpose', { ...KEPT, email: 'withdrawn' }],
    ['', 'List-Unsubscribe=One-Click', GONE],
    ['?purpose=letter', 'what=all', GONE],
    ['?purpose=letter', '', GONE],
    ['?purpose=letter', 'what=purpose', { ...KEPT, letter: 'withdrawn' }],
    ['?purpose=letter', 'List-Unsubscribe=One-Click', { ...KEPT, letter: 'withdrawn' }],
    ['?purpose=letter,partners&lang=fr', 'List-Unsubscribe=One-Click', { ...GONE, email: 'express' }],
    ['?purpose=', 'List-Unsubscribe=One-Click', GONE],
  ];
  for (const [query, body, then] of cases) {
    const { url, standing } = await subscriber();
    const { status } = await call(url + query, 'POST', body, form);
    assert.equal(status, 200);
    assert.deepEqual(await standing(), then, `${query} ${body}`);
  }
});

test('the page offers everything first, then the mail or the purpose of the link, and writes nothing', async () => {
  const { url, standing } = await subscriber();
  const show = async (query: string) =>
    (await call(url + query, 'GET', undefined, { accept: 'text/html' })).body;
  const page = await show('?lang=en');
  assert.match(page, /value="all" checked>[^/]*Everything I agreed to here/);
  assert.match(page, /value="purpose">[^/]*Only mails to me/);
  assert.match(await show('?purpose=letter&lang=en'), /value="purpose">[^/]*Only “letter”/);
  assert.match(await show('?purpose=letter&lang=fr'), /Seulement « letter »/);
  assert.doesNotMatch(await show('?purpose=%3Cscript%3E'), /<script/);
  assert.match(page, /href="\/v1\/your-data\?lang=en/);
  assert.deepEqual(await standing(), KEPT);
});

test('the page afterwards says what really ended', async () => {
  const { url } = await subscriber();
  const one = await call(`${url}?purpose=letter&lang=en`, 'POST', 'what=purpose', form);
  assert.match(one.body, /Only that has ended/);
  const all = await call(`${url}?purpose=letter&lang=en`, 'POST', 'what=all', form);
  assert.match(all.body, /You will get no more mail from us/);
});

test('who left one purpose by the page is found by it in the ledger', async () => {
  const { email, url } = await subscriber();
  await call(`${url}?purpose=letter`, 'POST', 'what=purpose', form);
  const records = await rows(
    `select r.basis, d.purpose from consent_records r join consent_details d using (site_id, record_id)
     where r.lead_id = $1 and r.status = 'withdrawn'`,
    [await leadIdOf(server, email)],
  );
  assert.deepEqual(records, [{ basis: 'unsubscribe_link', purpose: 'letter' }]);
});

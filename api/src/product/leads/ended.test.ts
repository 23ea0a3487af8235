// Whom one may write to for a purpose, and whom no longer, for whatever reason: what a tool for mails is told.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken } from '../consent/link.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer();
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const leadIdOf = async (email: string, siteId = site): Promise<string> =>
  (await rows('select lead_id from leads where site_id = $1 and email_normalized = $2', [siteId, email]))[0]
    .lead_id;
const get = (path: string) => call(`${server.url}${path}`, 'GET', undefined, admin);
const post = (path: string, body: unknown, headers: Record<string, string> = admin) =>
  call(`${server.url}${path}`, 'POST', body, headers);
const capture = (email: string, fields: Record<string, unknown> = {}) =>
  post('/v1/leads/capture', { email, anonId: anon(), ...fields }, {});
const agree = (email: string, purposes: string[]) =>
  capture(email, { consentStatus: 'express', consent: { text: `For ${purposes.join(' and ')}.`, purposes } });
/** As a mail program does for who presses its button. */
async function oneClick(email: string, query = '') {
  const [{ key }] = await rows('select unsubscribe_key as key from leads where email_normalized = $1', [
    email,
  ]);
  const { status } = await call(
    `${server.url}/v1/unsubscribe/${linkToken(site, key)}${query}`,
    'POST',
    'List-Unsubscribe=One-Click',
    { 'content-type': 'application/x-www-form-urlencoded' },
  );
  assert.equal(status, 200);
}
interface Listed {
  email: string;
  endedAt: string | null;
  restricted: boolean;
  standing: { purpose: string; status: string; since: string | null };
}
const listed = async (query: string): Promise<Listed[]> => {
  const { status, body } = await get(`/v1/leads?limit=200&${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.leads;
};
const exported = async (query: string): Promise<Record<string, string>[]> =>
  parse((await get(`/v1/leads/export.csv?${query}`)).body, { columns: true, bom: true });
/** Names of the people whom a list, its search and its table hold: all three the same. */
async function namesIn(people: Record<string, string>, query: string) {
  const names = (found: { email: string }[]) => {
    const there = new Set(found.map(({ email }) => email));
    return Object.keys(people).filter((name) => there.has(people[name]!));
  };
  const inList = names(await listed(query));
  const { mailable, ...asked } = Object.fromEntries(new URLSearchParams(query));
  const search = await post('/v1/leads/search', {
    ...asked,
    limit: 200,
    ...(mailable === undefined ? {} : { mailable: mailable === 'true' }),
  });
  assert.deepEqual(names(search.body.leads), inList, 'the search finds whom the list shows');
  assert.deepEqual(names((await exported(query)) as never), inList, 'so does the table');
  return inList;
}
const peopleOf = <Name extends string>(...names: Name[]) =>
  Object.fromEntries(names.map((name) => [name, address()])) as Record<Name, string>;

test('who left one kind of mail is out of the list for that kind and told to its tool, and gets the others as before', async () => {
  const since = new Date().toISOString();
  const people = peopleOf(
    'both',
    'leftOne',
    'leftOther',
    'leftAll',
    'leftMails',
    'mailsOnly',
    'kindOnly',
    'leftUnasked',
    'comesBack',
    'implied',
  );
  for (const name of ['both', 'leftOne', 'leftOther', 'leftAll', 'leftMails', 'comesBack'] as const)
    await agree(people[name], ['email', 'newsletter', 'offers']);
  for (const name of ['mailsOnly', 'leftUnasked'] as const) await agree(people[name], ['email']);
  await agree(people.kindOnly, ['newsletter']);
  await capture(people.implied, { consentStatus: 'implied', consent: { purposes: ['email', 'newsletter'] } });
  for (const name of ['leftOne', 'leftUnasked', 'comesBack'] as const)
    await oneClick(people[name], '?purpose=newsletter');
  await oneClick(people.leftOther, '?purpose=offers');
  await oneClick(people.leftAll);
  await post('/v1/leads/unsubscribe', { email: people.leftMails, purposes: 'email' }, {});
  await agree(people.comesBack, ['newsletter']);

  const names = (query: string) => namesIn(people, query);
  assert.deepEqual(await names('mailable=true&purpose=newsletter'), [
    'both',
    'leftOther',
    'comesBack',
    'implied',
  ]);
  assert.deepEqual(await names('mailable=true&purpose=offers'), ['both', 'leftOne', 'comesBack']);
  assert.deepEqual(await names('mailable=true'), [
    'both',
    'leftOne',
    'leftOther',
    'mailsOnly',
    'leftUnasked',
    'comesBack',
    'implied',
  ]);
  assert.deepEqual(
    new Set([
      ...(await names('mailable=true&purpose=newsletter')),
      ...(await names('mailable=false&purpose=newsletter')),
    ]),
    new Set(Object.keys(people)),
  );
  assert.deepEqual(await names(`withdrawnSince=${since}&purpose=newsletter`), [
    'leftOne',
    'leftAll',
    'leftMails',
    'leftUnasked',
  ]);
  assert.deepEqual(await names(`withdrawnSince=${since}&purpose=offers`), [
    'leftOther',
    'leftAll',
    'leftMails',
  ]);
  assert.deepEqual(await names(`withdrawnSince=${since}`), ['leftAll', 'leftMails']);
  assert.deepEqual(await names(`withdrawnSince=${since}&purpose=email`), ['leftAll', 'leftMails']);
  assert.deepEqual(await names('consent=withdrawn&purpose=newsletter'), [
    'leftOne',
    'leftAll',
    'leftUnasked',
  ]);
  assert.deepEqual(await names('consent=express&purpose=newsletter'), [
    'both',
    'leftOther',
    'leftMails',
    'kindOnly',
    'comesBack',
  ]);
  assert.deepEqual(await names('consent=implied&purpose=newsletter'), ['implied']);
  assert.deepEqual(await names('consent=pending&purpose=newsletter'), ['mailsOnly']);

  const standingOf = async (email: string, query: string) =>
    (await listed(query)).find((one) => one.email === email)!.standing;
  assert.deepEqual(
    [
      (await standingOf(people.leftOne, 'purpose=newsletter')).status,
      (await standingOf(people.leftOne, 'purpose=Newsletter')).purpose,
      (await standingOf(people.leftOne, '')).status,
      (await standingOf(people.mailsOnly, 'purpose=newsletter')).status,
    ],
    ['withdrawn', 'newsletter', 'express', 'pending'],
  );
  const row = (await exported('purpose=newsletter')).find(({ email }) => email === people.leftOne)!;
  assert.deepEqual(
    [row.consentStatus, row.purpose, row.purposeStatus],
    ['express', 'newsletter', 'withdrawn'],
  );
  assert.ok(row.endedAt! >= since && row.purposeSince! >= since);
  for (const wrong of ['purpose=newsletter,offers', `purpose=${'x'.repeat(65)}`])
    assert.equal((await get(`/v1/leads?${wrong}`)).status, 400, wrong);
});

test('implied consent to a kind of mail that has run out leaves its list and is told, before any job wrote it down', async () => {
  const people = peopleOf('over', 'runs');
  for (const email of Object.values(people))
    await capture(email, { consentStatus: 'implied', consent: { purposes: ['newsletter'] } });
  for (const email of Object.values(people))
    await capture(email, { consentStatus: 'express', consent: { text: 'Mail.', purposes: ['email'] } });
  const since = new Date(Date.now() - 3_600_000);
  const until = new Date(Date.now() - 60_000);
  await rows("update consent_records set expires_at = $2 where lead_id = $1 and status = 'implied'", [
    await leadIdOf(people.over),
    until,
  ]);
  assert.deepEqual(await namesIn(people, 'mailable=true&purpose=newsletter'), ['runs']);
  assert.deepEqual(await namesIn(people, `withdrawnSince=${since.toISOString()}&purpose=newsletter`), [
    'over',
  ]);
  assert.deepEqual(await namesIn(people, 'consent=expired&purpose=newsletter'), ['over']);
  const [over] = (await listed(`withdrawnSince=${since.toISOString()}&purpose=newsletter`)).filter(
    ({ email }) => email === people.over,
  );
  assert.deepEqual([over!.endedAt, over!.standing.since], [until.toISOString(), until.toISOString()]);
});

test('who is restricted is told to the tools with the moment of it, and with nothing but what stops a mail', async () => {
  const since = new Date().toISOString();
  const people = peopleOf('restricted', 'left', 'free', 'stays');
  for (const email of Object.values(people)) await agree(email, ['email', 'newsletter']);
  for (const name of ['restricted', 'left', 'free'] as const)
    assert.equal(
      (await post(`/v1/leads/${await leadIdOf(people[name])}/restrict`, { all: true })).status,
      200,
    );
  await post('/v1/leads/unsubscribe', { email: people.left }, {});
  await post(`/v1/leads/${await leadIdOf(people.free)}/restrict`, { all: false });
  for (const query of [`withdrawnSince=${since}`, `withdrawnSince=${since}&purpose=newsletter`])
    assert.deepEqual(await namesIn(people, query), ['restricted', 'left']);
  const [one] = (await listed(`withdrawnSince=${since}`)).filter(({ email }) => email === people.restricted);
  assert.ok(one!.endedAt! >= since);
  const later = new Date(Date.parse(one!.endedAt!) + 1).toISOString();
  assert.deepEqual(await namesIn(people, `withdrawnSince=${later}`), ['left'], 'who had heard hears no more');
  // said again, it is no news
  await post(`/v1/leads/${await leadIdOf(people.restricted)}/restrict`, { all: true });
  assert.deepEqual(await namesIn(people, `withdrawnSince=${later}`), ['left']);
  const row = (
    await exported(
      `withdrawnSince=${since}&columns=email,leadId,restricted,endedAt,consentStatus,firstSource,lastSubmittedAt,payload,attributes,unsubscribeUrl`,
    )
  ).find(({ email }) => email === people.restricted)!;
  const { email: _, leadId: __, endedAt, ...rest } = row;
  assert.equal(endedAt, one!.endedAt);
  assert.deepEqual(rest, {
    restricted: 'true',
    consentStatus: 'express',
    firstSource: '',
    lastSubmittedAt: '',
    payload: '',
    attributes: '',
    unsubscribeUrl: '',
  });
  assert.deepEqual(await namesIn(people, 'mailable=true'), ['free', 'stays']);
  const others = (await exported('source=direct')).map(({ email }) => email);
  assert.ok(others.includes(people.stays) && !others.includes(people.restricted), 'no other table has them');
});

test('whom a site may write to no more since it takes no implied consent is told to the tools, with the moment of that', async () => {
  const made = await post('/v1/sites', { key: 'no-implied' });
  const { siteId } = made.body.site;
  const set = async (impliedConsent: boolean | null, name = 'x') =>
    assert.equal(
      (await call(`${server.url}/v1/sites/${siteId}`, 'PATCH', { name, settings: { impliedConsent } }, admin))
        .status,
      200,
    );
  const people = peopleOf('implied', 'express', 'pending');
  await capture(people.implied, {
    propertyId: 'no-implied',
    consentStatus: 'implied',
    consent: { purposes: ['email', 'newsletter'] },
  });
  await capture(people.express, {
    propertyId: 'no-implied',
    consentStatus: 'express',
    consent: { text: 'x', purposes: ['email', 'newsletter'] },
  });
  await capture(people.pending, { propertyId: 'no-implied' });
  const before = new Date().toISOString();
  const names = (query: string) => namesIn(people, `propertyId=no-implied&${query}`);
  assert.deepEqual(await names(`withdrawnSince=${before}`), []);
  await set(false);
  for (const query of ['', '&purpose=newsletter'])
    assert.deepEqual(await names(`withdrawnSince=${before}${query}`), ['implied'], query);
  const [{ endedAt }] = (await listed(`propertyId=no-implied&withdrawnSince=${before}`)) as [Listed];
  assert.ok(endedAt! >= before);
  await set(false, 'another setting');
  const later = new Date(Date.parse(endedAt!) + 1).toISOString();
  assert.deepEqual(await names(`withdrawnSince=${later}`), [], 'saved again, it is no news');
  await set(true);
  assert.deepEqual(await names(`withdrawnSince=${before}`), []);
  assert.deepEqual(await names('mailable=true'), ['implied', 'express']);
  await set(false);
  assert.deepEqual(await names(`withdrawnSince=${later}`), ['implied'], 'set anew, it is');
});

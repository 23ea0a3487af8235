// Lists from elsewhere come in as their tools write them, and their dates are evidence: nothing is guessed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { address } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken } from '../consent/link.ts';
import { type DateFormat, readInstant } from './import-rows.ts';

let server: TestServer;
before(async () => {
  server = await startServer({ PUBLIC_URL: 'https://stats.example' });
});
after(() => server.end());

const post = (body: Record<string, unknown>) => call(`${server.url}/v1/leads/import`, 'POST', body, admin);
const get = (path: string) => call(`${server.url}${path}`, 'GET', undefined, admin);
const leadOf = async (email: string) =>
  (await server.database.owner.query('select * from leads where email_normalized = $1', [email])).rows[0];

test('a date is read in one way or not at all', () => {
  const cases: [string, DateFormat | undefined, string | null][] = [
    ['2026-03-04', undefined, '2026-03-04T00:00:00.000Z'],
    ['2026-03-04T09:30:00Z', undefined, '2026-03-04T09:30:00.000Z'],
    ['2026-03-04 09:30+02:00', undefined, '2026-03-04T07:30:00.000Z'],
    ['2026-03-04T09:30:00.5-0500', undefined, '2026-03-04T14:30:00.500Z'],
    ['2026-03-04 09:30:00', undefined, null],
    ['03/04/2025', undefined, null],
    ['13/04/2025', undefined, null],
    ['4 March 2025', undefined, null],
    ['1741046400', undefined, null],
    ['2026-02-31', undefined, null],
    ['2026-03-04T25:00:00Z', undefined, null],
    ['03/04/2025', 'DD/MM/YYYY', '2025-04-03T00:00:00.000Z'],
    ['03/04/2025', 'MM/DD/YYYY', '2025-03-04T00:00:00.000Z'],
    ['3/4/2025', 'MM/DD/YYYY', '2025-03-04T00:00:00.000Z'],
    ['13/04/2025', 'MM/DD/YYYY', null],
    ['31/02/2025', 'DD/MM/YYYY', null],
    ['3/4/25', 'DD/MM/YYYY', null],
    ['03.04.2025 23:30', 'DD.MM.YYYY', '2025-04-03T23:30:00.000Z'],
    ['2025/04/03 1:30:15', 'YYYY/MM/DD', '2025-04-03T01:30:15.000Z'],
    ['2025-04-03 23:30:00', 'YYYY-MM-DD', '2025-04-03T23:30:00.000Z'],
    ['2026-03-04T09:30:00Z', 'DD/MM/YYYY', '2026-03-04T09:30:00.000Z'],
    ['tomorrow', 'DD/MM/YYYY', null],
  ];
  for (const [text, format, instant] of cases)
    assert.equal(readInstant(text, format), instant, `${text} ${format}`);
});

test('a list comes in as spreadsheets and other tools write it', async () => {
  for (const [what, write, ignored] of [
    ['commas', (email: string) => `email,formName\n${email},fair`, []],
    ['semicolons', (email: string) => `email;formName\r\n${email};fair\r\n`, []],
    ['tabs', (email: string) => `email\tformName\n${email}\tfair`, []],
    ['a mark in front', (email: string) => `\ufeffemail,formName\n${email},fair`, []],
    ['capitals', (email: string) => `Email,FORMNAME\n${email},fair`, []],
    ['other ways to write', (email: string) => `"E-Mail";"form_name"\n"${email}";"fair"`, []],
    ['words in the header', (email: string) => `Email Address,Form Name\n${email},fair`, []],
    ['a name beside', (email: string) => `First name,email,formName,Last; name\nAda,${email},fair,L`, []],
    ['a row that ends early', (email: string) => `formName,email,words\nfair,${email}`, []],
  ] as [string, (email: string) => string, string[]][]) {
    const email = address();
    const { status, body } = await post({ csv: write(email) });
    assert.equal(status, 200, `${what} ${JSON.stringify(body)}`);
    assert.deepEqual([body.counts.created, body.ignoredColumns], [1, ignored], what);
    assert.equal((await leadOf(email)).first_form_name, 'fair', what);
  }
});

test('a row with a fault is refused with its line, and costs no other', async () => {
  const [first, last] = [address(), address()];
  const bad = address();
  for (const [row, words] of [
    [`${bad},fair, and more`, /has 3 fields, the header 2/],
    [`${bad},5" tall`, /quotation mark opens in the middle/],
    [`${bad},"5" tall"`, /quotation mark closes in the middle/],
    ['nobody,fair', /email: is not an address/],
  ] as const) {
    const { status, body } = await post({
      csv: `email,formName\n${first},fair\n${row}\n${last},fair\n`,
      dryRun: true,
    });
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.counts, { created: 2, updated: 0, unchanged: 0, refused: 1 }, row);
    const refused = body.rows.find(({ outcome }: { outcome: string }) => outcome === 'refused');
    assert.equal(refused.row, 3);
    assert.match(refused.message, words);
    assert.doesNotMatch(JSON.stringify(body), /CSV_|INVALID_/, 'no words of a library');
  }
  const open = await post({
    csv: `email,words\n${first},"two\nlines"\n${bad},"fair\n${last},fair\n`,
    dryRun: true,
  });
  assert.equal(open.body.counts.created, 2, 'what follows is read all the same');
  assert.match(JSON.stringify(open.body.rows), /never closed/);
  for (const csv of [
    'email,Email\na@b.co,c@d.co',
    'email,name,name\na@b.co,x,y',
    'name\nAda',
    '"',
    'email\n',
  ]) {
    const refused = await post({ csv });
    assert.deepEqual([refused.status, refused.body.issues[0].path], [400, 'csv'], csv);
  }
});

test('who left elsewhere is gone here too, however that is written, and days do as instants', async () => {
  for (const status of ['WITHDRAWN', 'Withdrawn', ' withdrawn ']) {
    const email = address();
    const { body } = await post({ csv: `email,consentStatus,consentAt\n${email},${status},2026-01-05` });
    assert.equal(body.counts.created, 1, JSON.stringify(body));
    assert.equal((await leadOf(email)).consent_status, 'withdrawn', status);
  }
  const email = address();
  const told = await post({
    csv: `email,consentStatus,consentAt,consentKind,expiresAt,evidence\n${email},Implied,2026-01-05,Implied Purchase,2099-03-01,till 4`,
  });
  assert.equal(told.body.counts.created, 1, JSON.stringify(told.body));
  assert.equal(
    (await leadOf(email)).consent_expires_at.toISOString(),
    '2028-01-05T00:00:00.000Z',
    'two years after a purchase, whatever the file says',
  );
  assert.match(told.body.rows[0].message, /later than the law allows: until 2028-01-05/);
  const asked = address();
  const csv = `email,consentStatus,consentAt,evidence\n${asked},implied,03/04/2025,folder 7`;
  assert.match((await post({ csv })).body.rows[0].message, /consentAt: a day \(2026-03-04\).*dateFormat/);
  assert.equal((await post({ csv, dateFormat: 'DD/MM/YYYY' })).body.counts.created, 1);
  assert.equal((await leadOf(asked)).consent_at.toISOString(), '2025-04-03T00:00:00.000Z');
});

const rows = async (sql: string) => (await server.database.owner.query(sql)).rows;
const withdrawn = 'withdrew on \\d{4}-\\d\\d-\\d\\d: only express consent that was given later';
const claim = 'email,consentStatus,consentAt,words,evidence\n';
const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
const unsubscribe = (email: string) =>
  call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, propertyId: 'default' });

test('an old list brings back nobody who was erased, whatever it leaves unsaid', async () => {
  for (const before of ['', 'withdrawn']) {
    const email = address();
    await post({ csv: `email\n${email}` });
    if (before) await unsubscribe(email);
    const erased = await call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);
    assert.equal(erased.status, 200);
    for (const csv of [
      `email\n${email}`,
      `email,consentStatus\n${email},pending`,
      `email,consentStatus\n${email},withdrawn`,
      `email,capturedAt\n${email},${day(0)}`,
      `${claim}${email},implied,${day(-3)},,till 4`,
      `${claim}${email},express,${day(-3)},Write to me.,folder 7`,
    ]) {
      const { body } = await post({ csv });
      assert.deepEqual([body.rows[0].outcome, body.counts.created], ['refused', 0], csv);
      assert.match(body.rows[0].message, /was erased, on request/);
    }
    assert.equal(await leadOf(email), undefined);
    await rows(
      "update erasures set erased_at = erased_at - interval '10 days' where erased_at > now() - interval '1 day'",
    );
    const newer = await post({ csv: `${claim}${email},express,${day(-3)},Write to me.,folder 7` });
    assert.equal(newer.body.rows[0].outcome, 'created', 'consent of their own, given since');
  }
});

test('who unsubscribed while nobody knew the address is withdrawn in every later import, until express consent of a later day', async () => {
  const email = address();
  assert.equal((await unsubscribe(email)).status, 200);
  const old = await post({ csv: `${claim}${email},implied,${day(-20)},,till 4` });
  assert.deepEqual(old.body.rows[0].outcome, 'created');
  assert.match(old.body.rows[0].message, new RegExp(withdrawn));
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
  const other = address();
  await unsubscribe(other);
  const list = await post({ csv: `email\n${other}` });
  assert.match(list.body.rows[0].message, new RegExp(withdrawn));
  assert.equal((await leadOf(other)).consent_status, 'withdrawn');
  await rows("update withdrawal_requests set requested_at = requested_at - interval '9 days'");
  const fresh = address();
  await unsubscribe(fresh);
  await rows(
    "update withdrawal_requests set requested_at = requested_at - interval '9 days' where requested_at > now() - interval '1 day'",
  );
  const implied = await post({ csv: `${claim}${fresh},implied,${day(-2)},,till 4` });
  assert.match(implied.body.rows[0].message, new RegExp(withdrawn), 'an inquiry lifts no withdrawal');
  const express = await post({ csv: `${claim}${fresh},express,${day(-2)},Write to me.,folder 7` });
  assert.equal(express.body.rows[0].outcome, 'updated');
  assert.equal((await leadOf(fresh)).consent_status, 'express');
});

const correct = async (from: string, to: string) =>
  assert.equal(
    (await call(`${server.url}/v1/leads/${(await leadOf(from)).lead_id}`, 'PATCH', { email: to }, admin))
      .status,
    200,
  );
const leave = async (email: string) =>
  assert.equal(
    (
      await call(
        `${server.url}/v1/unsubscribe/${linkToken((await leadOf(email)).site_id, (await leadOf(email)).unsubscribe_key)}`,
        'POST',
        'List-Unsubscribe=One-Click',
        { 'content-type': 'application/x-www-form-urlencoded' },
      )
    ).status,
    200,
  );
const agree = (email: string) =>
  call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: randomUUID(),
    propertyId: 'default',
    consentStatus: 'express',
    consent: { text: 'Write to me.' },
  });
const erase = (email: string) => call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);

test('an old list brings back nobody by the address they were corrected from, who withdrew before the correction or after, or was erased', async () => {
  const ways: Record<string, (first: string, then: string) => Promise<unknown>> = {
    'left, then corrected': async (first, then) => {
      await leave(first);
      return correct(first, then);
    },
    'corrected, then left': async (first, then) => {
      await correct(first, then);
      return leave(then);
    },
    'corrected, then erased': async (first, then) => {
      await correct(first, then);
      return erase(then);
    },
    'corrected twice, then erased': async (first, then) => {
      const between = address();
      await correct(first, between);
      await correct(between, then);
      return erase(then);
    },
  };
  for (const [way, go] of Object.entries(ways)) {
    const [first, then] = [address(), address()];
    await agree(first);
    await go(first, then);
    const old = await post({ csv: `${claim}${first},implied,${day(-20)},,till 4` });
    assert.equal(old.body.rows[0].outcome, 'refused', way);
    assert.match(old.body.rows[0].message, way.endsWith('erased') ? /was erased/ : /was corrected/, way);
    if (!way.endsWith('erased')) {
      // given after the correction, and before they left
      await rows(
        "update lead_rectifications set rectified_at = rectified_at - interval '30 days' where rectified_at > now() - interval '1 day'",
      );
      const between = await post({ csv: `${claim}${first},implied,${day(-20)},,till 4` });
      assert.match(between.body.rows[0].message, new RegExp(withdrawn), way);
    }
    const list = await get('/v1/leads?mailable=true&limit=200');
    assert.ok(!JSON.stringify(list.body).includes(first), way);
  }
});

test('a list from before a correction makes nobody of the old address, so that nobody stays there when its person leaves', async () => {
  const mailable = async () => JSON.stringify((await get('/v1/leads?mailable=true&limit=200')).body);
  for (const [way, go] of [
    ['left', leave],
    ['erased', erase],
  ] as const) {
    const [first, then] = [address(), address()];
    await agree(first);
    await correct(first, then);
    for (const csv of [
      `${claim}${first},implied,${day(-20)},,till 4`,
      `${claim}${first},express,${day(-20)},Write to me.,folder 7`,
      `email\n${first}`,
    ]) {
      const { body } = await post({ csv });
      assert.deepEqual([body.rows[0].outcome, body.counts.created], ['refused', 0], csv);
      assert.match(
        body.rows[0].message,
        /was corrected to another one on \d{4}-.*put that one into your list/,
      );
    }
    assert.equal(await leadOf(first), undefined, way);
    const byNow = await post({ csv: `${claim}${then},implied,${day(-20)},,till 4` });
    assert.equal(byNow.body.rows[0].outcome, 'unchanged', 'by the address of now it is they themselves');
    assert.ok((await mailable()).includes(then), way);
    await go(then);
    const now = await mailable();
    assert.ok(!now.includes(first) && !now.includes(then), way);
  }
  // whoever has the address since: what was agreed to before is not theirs
  const [first, then] = [address(), address()];
  await agree(first);
  await correct(first, then);
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email: first,
    anonId: randomUUID(),
    propertyId: 'default',
  });
  const old = await post({ csv: `${claim}${first},implied,${day(-20)},,till 4` });
  assert.match(old.body.rows[0].message, /was corrected/);
  assert.equal((await leadOf(first)).consent_status, 'pending');
  assert.equal((await post({ csv: `email,shoe\n${first},38` })).body.rows[0].outcome, 'updated');
  // and a new start, as ever
  const [one, other] = [address(), address()];
  await agree(one);
  await correct(one, other);
  await rows(
    "update lead_rectifications set rectified_at = rectified_at - interval '30 days' where rectified_at > now() - interval '1 day'",
  );
  const since = await post({ csv: `${claim}${one},implied,${day(-20)},,till 4` });
  assert.equal(since.body.rows[0].outcome, 'created');
  assert.equal((await leadOf(one)).consent_status, 'implied');
  // a withdrawal is taken by any address
  const [left, lives] = [address(), address()];
  await agree(left);
  await correct(left, lives);
  await post({ csv: `email,consentStatus\n${left},withdrawn` });
  assert.equal((await leadOf(left)).consent_status, 'withdrawn');
  // corrected and back: it is theirs again
  const [mine, wrong] = [address(), address()];
  await agree(mine);
  await correct(mine, wrong);
  await correct(wrong, mine);
  assert.equal(
    (await post({ csv: `${claim}${mine},implied,${day(-20)},,till 4` })).body.rows[0].outcome,
    'unchanged',
  );
});

test('an unsubscribe of an unknown address binds later inquiries here too, and an opt-in lifts it', async () => {
  const email = address();
  await unsubscribe(email);
  const capture = (fields: Record<string, unknown>) =>
    call(`${server.url}/v1/leads/capture`, 'POST', {
      email,
      anonId: randomUUID(),
      propertyId: 'default',
      ...fields,
    });
  await capture({ consentStatus: 'implied' });
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
  await capture({ consentStatus: 'express', consent: { text: 'Write to me.' } });
  assert.equal((await leadOf(email)).consent_status, 'express');
});

test('implied consent whose term is over is recorded as expired, and one that would end before it began is refused', async () => {
  const email = address();
  const { body } = await post({ csv: `${claim}${email},implied,2020-01-01,,till 4` });
  assert.deepEqual(body.rows[0], {
    row: 2,
    outcome: 'created',
    message: 'the term of this implied consent is over: recorded as expired',
  });
  const lead = await leadOf(email);
  assert.equal(lead.consent_status, 'expired');
  assert.equal(lead.consent_expires_at.toISOString(), '2020-07-01T00:00:00.000Z');
  const again = await post({ csv: `${claim}${email},implied,2020-01-01,,till 4` });
  assert.equal(again.body.rows[0].outcome, 'unchanged');
  const wrong = await post({
    csv: `email,consentStatus,consentAt,expiresAt,evidence\n${address()},implied,2026-03-01,2026-02-01,till 4`,
  });
  assert.match(wrong.body.rows[0].message, /expiresAt: is not after consentAt/);
});

test('a withdrawal without a date counts from today on, and reaches consent that was given here since the file was made', async () => {
  const email = address();
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: randomUUID(),
    propertyId: 'default',
    consentStatus: 'express',
    consent: { text: 'Write to me.' },
  });
  await post({ csv: `email,consentStatus,capturedAt\n${email},withdrawn,2024-01-01` });
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
});

test('the export opens in a spreadsheet, with the links and the columns that are asked for', async () => {
  const email = address();
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: randomUUID(),
    name: 'Zoë',
    message: '=1+1',
  });
  const whole = await fetch(`${server.url}/v1/leads/export.csv`, { headers: admin });
  const bytes = Buffer.from(await whole.arrayBuffer());
  assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], 'Excel takes it for UTF-8');
  const [row] = (parse(bytes, { columns: true, bom: true }) as Record<string, string>[]).filter(
    (one) => one.email === email,
  );
  assert.match(row!.unsubscribeUrl!, /^https:\/\/stats\.example\/v1\/unsubscribe\/[A-Za-z0-9_-]{54}$/);
  assert.equal('payload' in row!, false);
  const link = row!.unsubscribeUrl!.replace('https://stats.example', server.url);
  assert.equal((await call(link, 'POST', '', {})).status, 200);
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
  const some = await get('/v1/leads/export.csv?columns=payload,email');
  const [header, ...rows] = parse(some.body.replace('\ufeff', '')) as string[][];
  assert.deepEqual(header, ['payload', 'email']);
  const payload = rows.find((one) => one[1] === email)![0]!;
  assert.deepEqual(JSON.parse(payload), { name: 'Zoë', message: '=1+1' });
  assert.equal((await get('/v1/leads/export.csv?columns=email,secret')).status, 400);
});

test('a submission leads to its lead, for administrators', async () => {
  const email = address();
  const captured = await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: randomUUID() });
  const found = await get(`/v1/leads?submissionId=${captured.body.submissionId}`);
  assert.deepEqual(
    found.body.leads.map((lead: { email: string }) => lead.email),
    [email],
  );
  assert.deepEqual((await get(`/v1/leads?submissionId=${randomUUID()}`)).body.leads, []);
});

test('further columns become attributes of the lead, kept, shown, exported on wish and forgotten with it', async () => {
  const email = address();
  const csv = (city: string) => `email,First name,city,__proto__\n${email},Ada,${city},x`;
  const first = await post({ csv: csv('Toronto') });
  assert.deepEqual(
    [first.body.attributeColumns, first.body.ignoredColumns],
    [['First name', 'city'], ['__proto__']],
  );
  assert.equal((await post({ csv: csv('Toronto') })).body.counts.unchanged, 1);
  assert.equal((await post({ csv: csv('Montréal') })).body.counts.updated, 1);
  assert.deepEqual((await leadOf(email)).attributes, { 'First name': 'Ada', city: 'Montréal' });
  const out = await fetch(`${server.url}/v1/leads/export.csv?columns=email,attributes`, { headers: admin });
  assert.match(await out.text(), /Montréal/);
});

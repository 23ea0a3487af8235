// Lists from elsewhere come in as their tools write them, and their dates are evidence: nothing is guessed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { address } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
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
    [
      'a name beside',
      (email: string) => `First name,email,formName,Last; name\nAda,${email},fair,L`,
      ['First name', 'Last; name'],
    ],
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
  assert.equal((await leadOf(email)).consent_expires_at.toISOString(), '2099-03-01T00:00:00.000Z');
  const asked = address();
  const csv = `email,consentStatus,consentAt,evidence\n${asked},implied,03/04/2025,folder 7`;
  assert.match((await post({ csv })).body.rows[0].message, /consentAt: a day \(2026-03-04\).*dateFormat/);
  assert.equal((await post({ csv, dateFormat: 'DD/MM/YYYY' })).body.counts.created, 1);
  assert.equal((await leadOf(asked)).consent_at.toISOString(), '2025-04-03T00:00:00.000Z');
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

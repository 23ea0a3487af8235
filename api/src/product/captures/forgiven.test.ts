// Nothing but the address is ever the fault of who fills in a form: what templates, scripts and long messages bring is taken.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { address, anon } from '../../../test/make.ts';
import { type Answer, admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
const ORIGIN = 'https://bakery.example';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_PLEASE = { accept: 'application/json' };
before(async () => {
  server = await startServer();
  await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'Bakery', domain: 'bakery.example', origins: [ORIGIN] },
    admin,
  );
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const sent = (body: unknown, headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', body, headers);
const form = (fields: [string, string][], headers: Record<string, string> = {}) =>
  sent(new URLSearchParams(fields).toString(), { ...FORM, origin: ORIGIN, ...headers });
async function stored(email: string) {
  const [row] = await rows(
    `select l.*, s.payload, s.path, s.form_name, d.page from leads l join submissions s using (site_id, lead_id)
     left join consent_details d using (site_id, lead_id) where l.email_normalized = $1`,
    [email],
  );
  return row;
}
const pathsOf = (answer: Answer) => (answer.body.warnings ?? []).map(({ path }: { path: string }) => path);

test('whatever fields a form has besides the address, its lead is taken', async () => {
  const many = Array.from({ length: 70 }, (_, i): [string, string] => [`q${i}`, `answer ${i}`]);
  for (const [what, fields, payload, warned] of [
    ['a message of half a page', [['message', 'x'.repeat(3000)]], { message: 'x'.repeat(3000) }, []],
    [
      'five long answers',
      Array.from({ length: 5 }, (_, i) => [`q${i}`, 'y'.repeat(1900)]),
      Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`q${i}`, 'y'.repeat(1900)])),
      [],
    ],
    ['seventy questions', many, Object.fromEntries(many), []],
    ['a box without a value', [['consentStatus', 'on']], { consentStatus: 'on' }, ['consentStatus']],
    ['a box called consent', [['consent', 'on']], { consent: 'on' }, []],
    ['a text called payload', [['payload', 'bread']], { payload: 'bread' }, []],
    ['a text called utm', [['utm', 'bread']], { utm: 'bread' }, []],
    ['words without end', [['consentText', 'z'.repeat(9000)]], undefined, ['consent.text']],
    ['a question called referrer', [['referrer', 'Instagram']], { referrer: 'Instagram' }, ['referrer']],
    ['a question called path', [['path', 'Career path']], { path: 'Career path' }, ['path']],
    [
      'hidden fields of a broken template',
      [
        ['anonId', 'x'],
        ['eventId', '{{id}}'],
      ],
      undefined,
      ['anonId', 'eventId'],
    ],
    ['a name too long', [['formName', 'n'.repeat(300)]], undefined, ['formName']],
    [
      '25 boxes of one name',
      Array.from({ length: 25 }, () => ['loaf', 'rye']),
      { loaf: Array(25).fill('rye') },
      [],
    ],
    [
      'a stray submit button',
      [
        ['submit', 'Send'],
        ['_charset_', 'UTF-8'],
      ],
      { submit: 'Send' },
      [],
    ],
    [
      'our own ids',
      [
        ['visitorId', 'x'],
        ['ip', '1'],
      ],
      undefined,
      [],
    ],
  ] as [string, [string, string][], object | undefined, string[]][]) {
    const email = address();
    const answer = await form([['email', email], ...fields], JSON_PLEASE);
    assert.equal(answer.status, 200, `${what}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(pathsOf(answer), warned, what);
    const lead = await stored(email);
    assert.deepEqual(lead.payload ?? undefined, payload, what);
    assert.equal(lead.consent_status, 'pending', what);
    assert.equal(lead.first_source, 'direct', what);
    assert.equal((await form([['email', address()], ...fields])).status, 303, what);
  }
});

test('a text that is too long is cut and marked, in any script', async () => {
  for (const [texts, cut] of [
    [{ message: 'x'.repeat(9000) }, { message: 8192 }],
    [{ message: '日'.repeat(3000) }, { message: 8190 }],
    [{ a: 'x'.repeat(7000), b: 'y'.repeat(7000), c: 'z'.repeat(500) }, { c: 336 }],
    [{ 'payload[a][b]': 'x'.repeat(9000) }, { 'a.b': 8192 }],
  ] as [Record<string, string>, Record<string, number>][]) {
    const email = address();
    const answer = await form([['email', email], ...Object.entries(texts)], JSON_PLEASE);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(
      pathsOf(answer),
      Object.keys(cut).map((path) => `payload.${path}`),
    );
    const { payload } = await stored(email);
    assert.deepEqual(payload._cut, Object.keys(cut));
    for (const [path, bytes] of Object.entries(cut)) {
      const text = path.split('.').reduce((part, key) => part[key], payload);
      assert.equal(Buffer.byteLength(text), bytes, path);
      assert.ok(text.isWellFormed() && !text.includes('\ufffd'));
    }
  }
  const tooMuch = await form([
    ['email', address()],
    ['a', 'x'.repeat(17_000)],
  ]);
  assert.equal(tooMuch.status, 413);
  assert.match(tooMuch.body, /Shorten the longest text/);
});

test('an address is found under the names that other makers of forms give it', async () => {
  for (const name of ['EMAIL', 'Email', 'e-mail', 'your-email', 'email_address', '_replyto', 'fields_mail']) {
    const email = address();
    assert.equal(
      (
        await form([
          [name, email],
          ['name', 'Ada'],
        ])
      ).status,
      303,
      name,
    );
    assert.deepEqual((await stored(email)).payload, { name: 'Ada' }, name);
  }
  const friend = await form([['message', address()]]);
  assert.equal(friend.status, 400, 'an address in a text is nobody who asked');
});

test("a script's JSON keeps what is no field of ours, and is told what was left out", async () => {
  for (const [fields, payload, warned] of [
    [{ name: 'Ada', message: 'Please call me' }, { name: 'Ada', message: 'Please call me' }, []],
    [{ name: 'Ada', payload: { name: 'Grace' } }, { name: 'Grace' }, []],
    [{ 'payload[loaf]': 'rye', utm_source: 'flyer' }, { loaf: 'rye' }, []],
    [{ payload: ['a'] }, { payload: ['a'] }, []],
    [{ payload: 'text' }, { payload: 'text' }, []],
    [{ consent: true }, { consent: true }, []],
    [{ consentStatus: 'yes please' }, { consentStatus: 'yes please' }, ['consentStatus']],
    [{ consentStatus: 7 }, null, ['consentStatus']],
    [{ consentStatus: 'express', consent: { text: 'Yes.', given: 'perhaps' } }, null, ['consent.given']],
    [{ referrer: '', path: null, utm: null }, null, ['path', 'referrer']],
    [{ utm: { source: 'x'.repeat(300), medium: 3 } }, null, ['utm.source', 'utm.medium']],
    [{ eventId: 'none' }, null, ['eventId']],
    [{ sourceChannel: 'x'.repeat(256), formName: '' }, null, ['sourceChannel', 'formName']],
  ] as [Record<string, unknown>, object | null, string[]][]) {
    const email = address();
    const answer = await sent({ email, anonId: anon(), ...fields });
    const what = JSON.stringify(fields).slice(0, 80);
    assert.equal(answer.status, 200, `${what} ${JSON.stringify(answer.body)}`);
    assert.deepEqual(pathsOf(answer).sort(), [...warned].sort(), what);
    const lead = await stored(email);
    assert.deepEqual(lead.payload, payload, what);
    assert.equal(lead.consent_status, 'pending', what);
  }
  for (const fields of [{ email: 7 }, { email: null }, { email: 'ada@' }, { propertyId: 7 }]) {
    const answer = await sent({ email: address(), anonId: anon(), sourceChannel: 7, ...fields });
    assert.equal(answer.status, 400);
    assert.deepEqual(
      answer.body.issues.map(({ path }: { path: string }) => path),
      Object.keys(fields),
      'only what has to be mended is told',
    );
  }
});

test('a form sent as multipart is taken, with or without files, by browsers, scripts and curl', async () => {
  const send = async (data: FormData, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/v1/leads/capture`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'user-agent': BROWSER, ...headers },
      body: data,
    });
    return { status: response.status, body: await response.text() };
  };
  const email = address();
  const data = new FormData();
  data.append('email', email);
  data.append('message', 'Zoë\r\nand two loaves');
  data.append('empty', new Blob([]), '');
  data.append('photo', new Blob([Buffer.alloc(300_000)]), 'bread.jpg');
  const told = await send(data, JSON_PLEASE);
  assert.equal(told.status, 200, told.body);
  assert.deepEqual(JSON.parse(told.body).warnings, [
    { path: 'photo', message: 'left out: no files are kept' },
  ]);
  assert.deepEqual((await stored(email)).payload, { message: 'Zoë\r\nand two loaves' });
  assert.equal((await send(data)).status, 303);
  data.append('film', new Blob([Buffer.alloc(11_000_000)]), 'bread.mp4');
  assert.equal((await send(data)).status, 413);
  const type = 'multipart/form-data; boundary=x';
  const plain = `--x\r\ncontent-disposition: form-data; name="email"\r\ncontent-type: text/plain\r\n\r\n${address()}\r\n--x--\r\n`;
  assert.equal((await sent(plain, { 'content-type': type })).status, 303);
  assert.equal((await sent(plain.slice(0, 60), { 'content-type': type })).status, 400);
  assert.equal((await sent(plain, { 'content-type': 'multipart/form-data' })).status, 415);
  const leaving = new FormData();
  leaving.append('email', email);
  const left = await fetch(`${server.url}/v1/leads/unsubscribe`, { method: 'POST', body: leaving });
  assert.equal(left.status, 200);
});

test('who asks for JSON gets JSON, who asks for HTML never does', async () => {
  const good = (): [string, string][] => [
    ['email', address()],
    ['redirect', '/thanks.html'],
  ];
  const bad = (): [string, string][] => [
    ['email', 'nobody'],
    ['redirect', '/thanks.html'],
  ];
  const script = { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors' };
  for (const [who, headers, isJson] of [
    ['a form', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-dest': 'document' }, false],
    ['a form in an old browser', { accept: 'text/html, */*' }, false],
    ['curl', { accept: '*/*' }, false],
    ['fetch that asks', { accept: 'application/json' }, true],
    ['axios', { accept: 'application/json, text/plain, */*', ...script }, true],
    ['jQuery', { accept: 'application/json, text/javascript, */*; q=0.01' }, true],
    ['fetch without a word', { accept: '*/*', ...script }, true],
    ['XMLHttpRequest of old', { accept: '*/*', 'x-requested-with': 'XMLHttpRequest' }, true],
    ['fetch that asks for HTML', { accept: 'text/html, application/json', ...script }, false],
    ['an API client', { accept: 'application/problem+json' }, true],
  ] as [string, Record<string, string>, boolean][]) {
    const taken = await form(good(), headers);
    assert.equal(taken.status, isJson ? 200 : 303, who);
    if (isJson)
      assert.deepEqual(Object.keys(taken.body), ['ok', 'submissionId', 'visitorId', 'sessionId'], who);
    const hit = await form([...good(), ['honeypot', 'x']], headers);
    assert.equal(hit.status, taken.status, who);
    if (isJson) assert.deepEqual(Object.keys(hit.body), Object.keys(taken.body), who);
    const refused = await form(bad(), headers);
    assert.equal(refused.status, 400, who);
    assert.match(refused.headers.get('content-type')!, isJson ? /^application\/json/ : /^text\/html/, who);
    if (isJson) assert.equal(refused.body.issues[0].path, 'email', who);
    const left = await call(`${server.url}/v1/leads/unsubscribe`, 'POST', `email=${address()}`, {
      ...FORM,
      ...headers,
    });
    assert.match(left.headers.get('content-type')!, isJson ? /^application\/json/ : /^text\/html/, who);
  }
  await server.services.ledger.flush();
  const [{ honeypots, faults }] = await rows(
    `select coalesce(sum(count) filter (where reason = 'honeypot'), 0)::int as honeypots,
       coalesce(sum(count) filter (where reason = 'invalid_request'), 0)::int as faults from ingest_ledger where outcome = 'rejected'`,
  );
  assert.ok(honeypots >= 10 && faults >= 10, 'what is refused is counted, however it is told');
});

test('an origin alone is no page: where a form stood is unknown rather than wrong', async () => {
  for (const [headers, fields, path] of [
    [{ origin: ORIGIN, referer: `${ORIGIN}/` }, [], null],
    [{ origin: ORIGIN }, [], null],
    [{ origin: 'null' }, [], null],
    [{ origin: ORIGIN, referer: `${ORIGIN}/contact.html?x=1` }, [], '/contact.html'],
    [{ origin: ORIGIN, referer: `${ORIGIN}/` }, [['path', '/offer']], '/offer'],
    [{ origin: ORIGIN, referer: `${ORIGIN}/` }, [['path', '/']], '/'],
  ] as [Record<string, string>, [string, string][], string | null][])
    for (const browser of [[], [['anonId', anon()]]] as [string, string][][]) {
      const email = address();
      const body = new URLSearchParams([['email', email], ...fields, ...browser]).toString();
      assert.equal((await sent(body, { ...FORM, ...headers })).status, 303);
      const lead = await stored(email);
      assert.deepEqual([lead.path, lead.page, lead.first_path], [path, path, path], JSON.stringify(headers));
    }
});

test("the browser's own form_submit, which knew the page, tells it", async () => {
  const headers = { origin: ORIGIN, referer: `${ORIGIN}/` };
  const event = (fields: object) => call(`${server.url}/v1/events`, 'POST', fields, headers);
  const [email, anonId, eventId] = [address(), anon(), randomUUID()];
  await event({ anonId, eventId, eventType: 'form_submit', path: '/offer', props: { formName: 'x' } });
  await form(
    [
      ['email', email],
      ['anonId', anonId],
      ['eventId', eventId],
    ],
    headers,
  );
  const lead = await stored(email);
  assert.deepEqual([lead.path, lead.page, lead.first_path], ['/offer', '/offer', '/offer']);
  const [other, another] = [address(), anon()];
  await event({ anonId: another, eventType: 'page_view', path: '/menu' });
  await form(
    [
      ['email', other],
      ['anonId', another],
    ],
    headers,
  );
  assert.deepEqual(
    await rows("select path from events where event_type = 'form_submit' and visitor_id = $1", [
      (await stored(other)).first_visitor_id,
    ]),
    [{ path: '/menu' }],
    'its event stands on the page that was looked at',
  );
  assert.equal((await stored(other)).page, null, 'which is no evidence');
});

test('a packed body is read however its packing is spelled, and an unknown one is refused', async () => {
  const body = () => Buffer.from(JSON.stringify({ email: address(), anonId: anon() }));
  const asForm = () => Buffer.from(`email=${address()}`);
  for (const [encoding, pack, status] of [
    ['gzip', gzipSync, 200],
    ['GZIP', gzipSync, 200],
    ['x-gzip', gzipSync, 200],
    ['Deflate', deflateSync, 200],
    ['BR', brotliCompressSync, 200],
    ['identity', (bytes: Buffer) => bytes, 200],
    ['zstd', (bytes: Buffer) => bytes, 415],
    ['compress', (bytes: Buffer) => bytes, 415],
    ['gzip, gzip', gzipSync, 415],
  ] as [string, (bytes: Buffer) => Buffer, number][])
    for (const [type, bytes] of [
      ['application/json', body()],
      ['application/x-www-form-urlencoded', asForm()],
    ] as const) {
      const response = await fetch(`${server.url}/v1/leads/capture`, {
        method: 'POST',
        headers: {
          ...JSON_PLEASE,
          'content-type': type,
          'content-encoding': encoding,
          'user-agent': BROWSER,
        },
        body: new Uint8Array(pack(bytes)),
      });
      assert.equal(response.status, status, `${encoding} ${type}: ${await response.text()}`);
    }
  for (const [type, text, status] of [
    ['application/json; charset=utf-16', null, 415],
    ['application/json; charset=nonsense', '{}', 415],
    ['application/x-www-form-urlencoded; charset=nonsense', 'a=b', 415],
  ] as const)
    assert.equal(
      (await sent(text ?? '{"email":"a@b.co"}', { 'content-type': type })).status,
      status === 415 && text === null ? 400 : status,
      type,
    );
  const email = address();
  const latin = Buffer.from(`{"email":"${email}","anonId":"${anon()}","name":"Zo\xeb"}`, 'latin1');
  const response = await fetch(`${server.url}/v1/leads/capture`, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=ISO-8859-1', 'user-agent': BROWSER },
    body: new Uint8Array(latin),
  });
  assert.equal(response.status, 200);
  assert.deepEqual((await stored(email)).payload, { name: 'Zoë' });
});

test('a path that is known for another method says so, to a person by a page', async () => {
  for (const [method, path, allow] of [
    ['GET', '/v1/leads/capture', 'POST'],
    ['GET', '/v1/leads/unsubscribe', 'POST'],
    ['GET', '/v1/leads/search', 'POST'],
    ['DELETE', '/v1/leads/capture', 'POST'],
    ['PATCH', '/v1/leads', 'HEAD, GET'],
    ['POST', '/livez', 'HEAD, GET'],
  ] as const) {
    const url = `${server.url}${path}`;
    const program = await call(url, method);
    assert.deepEqual(
      [program.status, program.body.error, program.headers.get('allow')],
      [405, 'method_not_allowed', allow],
      `${method} ${path}`,
    );
    const person = await call(url, method, undefined, { accept: 'text/html,*/*;q=0.8' });
    assert.equal(person.status, 405);
    assert.match(person.headers.get('content-type')!, /text\/html/);
  }
  const lost = await call(`${server.url}/v1/nowhere`, 'GET', undefined, { accept: 'text/html' });
  assert.deepEqual([lost.status, lost.headers.get('content-type')], [404, 'text/html; charset=utf-8']);
});

test('what is missing inside a group costs the group and nothing else, and the API goes on', async () => {
  const textless = { consent: { method: 'a box' }, display: { fields: [], name: 7 }, utm: { source: {} } };
  for (const [group, value] of Object.entries(textless)) {
    const email = address();
    const answer = await sent({ email, anonId: anon(), [group]: value });
    assert.equal(answer.status, 200, `${group}: ${JSON.stringify(answer.body)}`);
    assert.ok(await stored(email), group);
  }
});

test('what is missing inside a group costs the group and nothing else, and the API goes on', async () => {
  for (const [group, value] of Object.entries({ consent: { method: 'a box' }, utm: { source: {} } })) {
    const email = address();
    const answer = await sent({ email, anonId: anon(), [group]: value });
    assert.equal(answer.status, 200, `${group}: ${JSON.stringify(answer.body)}`);
    assert.ok(await stored(email), group);
  }
});

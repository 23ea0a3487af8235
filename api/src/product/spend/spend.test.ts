// What was paid can be read back, page by page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const list = (query: string) =>
  call(`${server.url}/v1/ad-spend?from=2026-05-01&to=2026-05-31${query}`, 'GET', undefined, admin);

test('pages of what was paid hold every row once, in the order of their days', async () => {
  const rows = ['2026-05-03', '2026-05-01', '2026-05-02'].flatMap((day) =>
    ['', 'spring'].map((campaign) => ({ day, source: 'google', campaign, amount: '1.50', currency: 'cad' })),
  );
  const stored = await call(`${server.url}/v1/ad-spend`, 'POST', { rows }, admin);
  assert.equal(stored.body.stored, rows.length);
  const all = await list('');
  assert.equal(all.status, 200, JSON.stringify(all.body));
  assert.equal(all.body.nextCursor, null);
  assert.deepEqual(all.body.rows[0], {
    day: '2026-05-01',
    source: 'google',
    campaign: '',
    currency: 'CAD',
    amount: 1.5,
  });
  const seen = [];
  let cursor = '';
  do {
    const { body } = await list(`&limit=4${cursor}`);
    seen.push(...body.rows);
    cursor = body.nextCursor && `&cursor=${body.nextCursor}`;
  } while (cursor);
  assert.deepEqual(seen, all.body.rows);
  assert.equal((await list('&cursor=nonsense')).status, 400);
});

test('a table is for the site that its address names, and what is no table is refused', async () => {
  const table = 'day,source,campaign,amount,currency\r\n2026-05-05,bing,,2,USD\r\n';
  const send = (query: string, text = table) =>
    call(`${server.url}/v1/ad-spend${query}`, 'POST', text, { ...admin, 'content-type': 'text/csv' });
  assert.equal((await send('?propertyId=nobody')).body.issues[0].path, 'propertyId');
  assert.equal((await send('?propertyId=default')).body.stored, 1);
  const fault = await send('', table.replace('USD', 'dollars'));
  assert.deepEqual([fault.status, fault.body.issues[0].path], [400, 'rows.0.currency']);
});

test('a table is read as advertisers’ exports are written, and a fault is told with its row and field', async () => {
  const send = (text: string) =>
    call(`${server.url}/v1/ad-spend`, 'POST', text, { ...admin, 'content-type': 'text/csv' });
  for (const table of [
    'Day,Source,Campaign,Amount,Currency\n2026-05-06,bing,,2,USD\n',
    '\ufeffday;source;campaign;amount;currency\r\n2026-05-06;bing;;2;USD\r\n',
    'day\tsource\tamount\tcurrency\n2026-05-06\tbing\t2\tUSD',
  ])
    assert.equal((await send(table)).body.stored, 1, table);
  const head = 'day,source,campaign,amount,currency\n2026-05-06,bing,,2,USD\n';
  for (const [table, path, words] of [
    [`${head}2026-05-07,bing,,,USD\n`, 'rows.1.amount', /line 3/],
    [`${head}2026-05-07,bing\n`, 'rows.1.amount', /line 3/],
    [`${head}2026-05-07,bing,,2,USD,6\n`, 'rows.1', /line 3 has 6 fields/],
    [`${head}2026-05-07,bi"ng,,2,USD\n`, 'rows.1', /line 3 .*quotation mark/],
    ['day,source\n2026-05-07,bing\n', 'amount', /no column/],
    [`${head}07/05/2026,bing,,2,USD\n`, 'rows.1.day', /./],
  ] as const) {
    const { status, body } = await send(table);
    assert.deepEqual([status, body.issues[0].path], [400, path], table);
    assert.match(body.issues[0].message, words);
  }
});

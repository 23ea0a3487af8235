// Shared views: what a link shows, what it never shows, its password, its end, and that it is the site's alone.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { examplesOf } from '../../../test/examples.ts';
import { send } from '../../../test/send.ts';
import { type Answer, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from '../../../test/world.ts';
import { VIEWS } from '../../ground/http/route.ts';
import { readForgotten } from '../consent/forget-journal.ts';
import { forgetAgain } from '../erasure/forget-again.ts';

let server: TestServer;
let bakery: Place;
let mill: Place;
before(async () => {
  server = await startServer({
    ...WORLD_SETTINGS,
    DATA_DIR: mkdtempSync(join(tmpdir(), 'marketing-shares-')),
  });
  bakery = await makePlace(server, 'bakery');
  mill = await makePlace(server, 'mill');
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
async function share(more: Record<string, unknown> = {}): Promise<{ token: string; shareId: string }> {
  const { status, body } = await call(
    `${server.url}/v1/sites/bakery/shares`,
    'POST',
    { name: 'the board', ...more },
    admin,
  );
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(body.link, `${WORLD_SETTINGS.PUBLIC_URL}/app/#/share/${body.token}`);
  return { token: body.token, shareId: body.share.shareId };
}
const look = (token: string, path: string, more: Record<string, string> = {}): Promise<Answer> =>
  call(`${server.url}${path}`, 'GET', undefined, { 'x-share-token': token, ...more });
const windowOf = (report: string, more = '') =>
  `/v1/metrics/${report}?from=${bakery.today}&to=${bakery.today}${more}`;

test('a link opens the reports it names at its own site, and no other route, whatever it is', async () => {
  const { token } = await share({ views: ['summary', 'breakdown'] });
  const headers = { 'x-share-token': token };
  let refused = 0;
  for (const route of server.routes.filter(({ who }) => who !== 'anyone' && who !== 'inside'))
    for (const example of examplesOf(bakery)[route.id]!) {
      const { headers: _, ...plain } = example;
      const { status, text } = await send(server, route, plain, headers);
      const isShown = route.view === 'summary' || route.view === 'breakdown';
      assert.equal(status, isShown ? 200 : 403, `${route.id}: ${text.slice(0, 200)}`);
      if (isShown) assert.ok(!text.includes(bakery.email) && !text.includes('mill'), route.id);
      else refused += 1;
    }
  assert.ok(refused > 60, `${refused} refused`);
  assert.deepEqual(
    server.routes.flatMap(({ view }) => (view ? [view] : [])).sort(),
    [...VIEWS].sort(),
    'no report is shared by accident',
  );
  const theirs = await look(token, windowOf('summary', `&propertyId=mill`));
  const nowhere = await look(token, windowOf('summary', `&propertyId=nowhere`));
  assert.deepEqual([theirs.status, theirs.body.message], [400, nowhere.body.message]);
  const own = await look(token, windowOf('summary'));
  assert.equal(own.body.site.siteId, bakery.siteId, 'without a name it is its own');
});

test('what a link is worth is said to who has it, for no search engine, and its token stands nowhere', async () => {
  const { token } = await share({ name: 'the bank', hideMoney: true });
  const { status, body, headers } = await look(token, '/v1/shares/mine');
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(
    [body.share.name, body.share.hideMoney, body.share.site.key],
    ['the bank', true, 'bakery'],
  );
  assert.match(headers.get('x-robots-tag')!, /noindex/);
  const [row] = await rows('select s::text as line from shares s order by share_id desc limit 1');
  assert.ok(!row.line.includes(token));
  for (const wrong of ['', token.slice(1), `${token}x`, 'x'.repeat(43)])
    assert.equal((await look(wrong, '/v1/shares/mine')).status, 404);
  assert.equal((await look('x'.repeat(43), windowOf('summary'))).status, 401);
});

test('money is in no report of a link that hides it, and never in another one’s kept answer', async () => {
  const open = await share();
  const hiding = await share({ hideMoney: true });
  const shown = await look(open.token, windowOf('summary'));
  assert.deepEqual(shown.body.totals.spendByCurrency, { CAD: 12.5 });
  for (const format of ['json', 'csv']) {
    const hidden = await look(hiding.token, windowOf('summary', `&format=${format}`));
    const text = JSON.stringify(hidden.body);
    assert.ok(hidden.status === 200 && !text.includes('CAD') && !text.includes('12.5'), text.slice(0, 400));
  }
  const again = await look(open.token, windowOf('summary'));
  assert.deepEqual(again.body.totals, shown.body.totals);
  const spend = await look(hiding.token, windowOf('breakdown', '&by=spend'));
  assert.deepEqual([spend.status, spend.body.error], [403, 'forbidden']);
  assert.equal((await look(open.token, windowOf('breakdown', '&by=spend'))).status, 200);
  await call(
    `${server.url}/v1/conversions`,
    'POST',
    {
      propertyId: 'bakery',
      id: 'sold-1',
      kind: 'purchase',
      email: bakery.email,
      amount: '77.31',
      currency: 'CAD',
    },
    admin,
  );
  for (const report of VIEWS) {
    const of = report === 'attribution' ? '&of=purchase' : '';
    const { status, body } = await look(hiding.token, windowOf(report, of));
    assert.equal(status, 200, report);
    assert.ok(
      !/CAD|77\.31|12\.5\b/.test(JSON.stringify(body)),
      `${report}: ${JSON.stringify(body).slice(0, 300)}`,
    );
  }
});

test('a password is asked for beside the link, and opens its own link alone', async () => {
  const password = 'rye, oats';
  const one = await share({ password });
  const other = await share({ password });
  const unlock = (shareToken: string, said: string) =>
    call(`${server.url}/v1/shares/unlock`, 'POST', { shareToken, password: said });
  const locked = await look(one.token, windowOf('summary'));
  assert.deepEqual([locked.status, locked.body.error], [403, 'proof_required']);
  assert.equal((await look(one.token, '/v1/shares/mine')).status, 403, 'nor does it say what it shows');
  assert.equal((await unlock(one.token, 'barley')).status, 401);
  assert.equal((await unlock('x'.repeat(43), password)).status, 404);
  const { body } = await unlock(one.token, password);
  assert.equal(body.expiresIn, 43_200);
  const opened = { 'x-share-unlock': body.unlockToken };
  assert.equal((await look(one.token, windowOf('summary'), opened)).status, 200);
  assert.equal((await look(other.token, windowOf('summary'), opened)).status, 403);
  const [row] = await rows('select s::text as line from shares s where share_id = $1', [one.shareId]);
  assert.ok(row.line.includes('argon2id') && !row.line.includes(password));
});

test('a password of a link is guessed as slowly as one of an account, and another link’s not at all', async (t) => {
  const slow = await startServer({ RATE_LIMITS: 'on' });
  t.after(() => slow.end());
  const made = await call(`${slow.url}/v1/sites`, 'POST', { key: 'forge', name: 'Forge' }, admin);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const share = async (password: string): Promise<string> => {
    const wanted = { name: 'the board', views: ['summary'], password };
    return (await call(`${slow.url}/v1/sites/forge/shares`, 'POST', wanted, admin)).body.token;
  };
  const [one, other] = [await share('rye, oats'), await share('barley, hops')];
  const unlock = (shareToken: string, password: string) =>
    call(`${slow.url}/v1/shares/unlock`, 'POST', { shareToken, password });
  for (let i = 0; i < 5; i += 1) assert.equal((await unlock(one, `wrong ${i}`)).status, 401);
  const refused = await unlock(one, 'rye, oats');
  assert.deepEqual(
    [refused.status, refused.body.error],
    [429, 'rate_limited'],
    'the right one is not looked at',
  );
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await unlock(other, 'barley, hops')).status, 200);
});

test('a link ends when it is revoked or its time is over, from the next request on, and after a restore too', async () => {
  const { token, shareId } = await share();
  assert.equal((await look(token, windowOf('summary'))).status, 200);
  const at = `${server.url}/v1/sites/bakery/shares`;
  const elsewhere = await call(`${server.url}/v1/sites/mill/shares/${shareId}`, 'DELETE', undefined, admin);
  assert.equal(elsewhere.status, 404, 'it is not that site’s to end');
  const ended = await call(`${at}/${shareId}`, 'DELETE', undefined, admin);
  assert.ok(ended.body.share.revokedAt);
  assert.equal((await look(token, windowOf('summary'))).status, 401);
  assert.equal((await look(token, '/v1/shares/mine')).status, 404);
  const late = await share();
  await rows("update shares set expires_at = now() - interval '1 second' where share_id = $1", [
    late.shareId,
  ]);
  assert.equal((await look(late.token, windowOf('summary'))).status, 401);
  for (const expiresAt of ['2020-01-01T00:00:00Z', '2100-01-01T00:00:00Z'])
    assert.equal((await call(at, 'POST', { name: 'x', expiresAt }, admin)).status, 400);
  // a backup of before knows it as good
  await rows('update shares set revoked_at = null where share_id = $1', [shareId]);
  const { db, accounts, tables } = server.services;
  const entries = [];
  for await (const entry of readForgotten(accounts.forgetJournal)) entries.push(entry);
  assert.ok(entries.some((entry) => entry.kind === 'share' && entry.shareId === shareId));
  await forgetAgain(db, {
    journal: accounts.forgetJournal,
    since: '2020-01-01T00:00:00Z',
    pepper: 'unused, as nobody was erased here',
    tables,
  });
  assert.equal((await look(token, windowOf('summary'))).status, 401);
});

/** Of the page that a frame asks for; what differs by the day and the hour left out. */
async function pageIn(frame: string): Promise<{ text: string; headers: Record<string, string> }> {
  const response = await fetch(`${server.url}/app/embed/${frame}`);
  assert.equal(response.status, 200);
  const { date: _, 'x-request-id': __, ...headers } = Object.fromEntries(response.headers);
  return { text: await response.text(), headers };
}
const framersIn = ({ headers }: { headers: Record<string, string> }): string =>
  /frame-ancestors ([^;]+);/.exec(headers['content-security-policy']!)![1]!;

test('a view stands in frames of the pages that it names; of any other id, and once it has ended, nobody learns more than that', async () => {
  const at = `${server.url}/v1/sites/bakery/shares`;
  const embed = ['https://www.bakery.example', 'http://localhost:8080'];
  const make = async (more: object) => (await call(at, 'POST', { name: 'our pages', ...more }, admin)).body;
  const { share: made, token, embedLink } = await make({ embed: [...embed, embed[0]] });
  assert.deepEqual(made.embed, embed);
  assert.equal(embedLink, `${WORLD_SETTINGS.PUBLIC_URL}/app/embed/${made.shareId}#/share/${token}`);
  const open = await pageIn(made.shareId);
  assert.equal(framersIn(open), embed.join(' '));
  assert.equal(open.headers['x-frame-options'], undefined);
  assert.equal(open.headers['x-robots-tag'], 'noindex');
  assert.equal(open.headers['cache-control'], 'no-store');
  assert.equal(open.headers['set-cookie'], undefined);
  assert.match(open.text, /<html [^>]*data-embedded/);

  const nobodys = await make({});
  assert.equal(nobodys.embedLink, null);
  const revoked = (await make({ embed })).share.shareId;
  assert.equal(framersIn(await pageIn(revoked)), embed.join(' '));
  await call(`${at}/${revoked}`, 'DELETE', undefined, admin);
  const late = (await make({ embed })).share.shareId;
  await rows("update shares set expires_at = now() - interval '1 second' where share_id = $1", [late]);
  const unknown = await pageIn('01990000-0000-7000-8000-000000000000');
  assert.equal(framersIn(unknown), "'none'");
  assert.equal(unknown.headers['x-frame-options'], 'DENY');
  for (const shareId of [nobodys.share.shareId, revoked, late])
    assert.deepEqual(await pageIn(shareId), unknown, 'nothing tells them apart');
  assert.equal(open.text, unknown.text);

  // whatever else is asked for there is the dashboard itself, which stands in no frame
  for (const path of ['/app', '/app/', '/app/bakery/overview', '/app/embed/overview', '/app/embed'].concat([
    `/app/embed/${made.shareId}/x`,
    `/app/%65mbed/${made.shareId}`,
    `/app/bakery/${made.shareId}`,
  ])) {
    const { status, headers, body } = await call(server.url + path);
    assert.equal(status, 200, path);
    assert.equal(headers.get('x-frame-options'), 'DENY', path);
    assert.match(headers.get('content-security-policy')!, /frame-ancestors 'none';/, path);
    assert.ok(!body.includes('data-embedded'), path);
  }
});

test('a frame is allowed to origins alone: no wildcard, no path, nothing that would end the policy', async () => {
  const at = `${server.url}/v1/sites/bakery/shares`;
  const make = (embed: unknown) => call(at, 'POST', { name: 'our pages', embed }, admin);
  for (const wrong of [
    'http://www.bakery.example',
    'https://www.bakery.example/',
    'https://www.bakery.example/menu',
    'https://WWW.bakery.example',
    'https://www.bakery.example:443',
    'https://*.bakery.example',
    'https://*',
    '*',
    'https:',
    "'self'",
    'https://a.example;script-src',
    'https://a.example,https://b.example',
    'https://a.example https://b.example',
    'https://ada@bakery.example',
    'https://localhost.bakery.example:99999',
    'http://localhost.bakery.example',
    'null',
    'data:',
    '',
  ]) {
    const { status, body } = await make(['https://www.bakery.example', wrong]);
    assert.deepEqual([status, body.issues?.[0]?.path], [400, 'embed.1'], wrong);
  }
  const many = (n: number) => Array.from({ length: n }, (_, i) => `https://${i}.bakery.example`);
  assert.equal((await make(many(6))).status, 400);
  for (const right of [many(5), ['http://www.bakery.localhost:3000', 'http://127.0.0.1:8080']])
    assert.equal((await make(right)).status, 201);
});

test('who made a view for frames, and for whose, stands in the audit log', async () => {
  const embed = ['https://www.bakery.example'];
  const at = `${server.url}/v1/sites/bakery/shares`;
  const { body } = await call(at, 'POST', { name: 'our pages', embed }, admin);
  const [line] = await rows('select actor, details from audit_log where target = $1', [body.share.shareId]);
  assert.deepEqual([line.actor, line.details.embed], ['admin_key', embed]);
});

test('links are listed without their secrets, made and ended by who may change the site', async () => {
  const { body } = await call(`${server.url}/v1/sites/bakery/shares`, 'GET', undefined, admin);
  assert.ok(
    body.shares.length > 3 && body.shares.every(({ siteId }: { siteId: string }) => siteId === bakery.siteId),
  );
  assert.ok(!JSON.stringify(body).includes('argon2id'));
  for (const [method, path] of [
    ['GET', ''],
    ['POST', ''],
    ['DELETE', `/${bakery.shareId}`],
  ] as const) {
    const url = `${server.url}/v1/sites/bakery/shares${path}`;
    const sent = method === 'POST' ? { name: 'x' } : undefined;
    assert.equal((await call(url, method, sent, bakery.viewer.headers)).status, 403, method);
    assert.equal((await call(url, method, sent, mill.viewer.headers)).status, 403, method);
  }
});

// Who watches a site's stream sees everything once and in order, from two processes, also after the line broke.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { newSite, orders, running } from '../../../test/claims.ts';
import { eventsOf } from '../../../test/event-stream.ts';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { newOwner, type SignedIn, signedIn, signUpWith } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { insertNews } from '../outbox/outbox.ts';
import { openCounts } from './counts.ts';

let one: TestServer;
let other: TestServer;
let siteId: string;
before(async () => {
  one = await startServer();
  other = await startServer({}, one.database);
  siteId = one.services.sites.fallback().siteId;
});
after(async () => {
  await other.stop();
  await one.end();
});

interface Seen {
  id: number | null;
  event: string;
  data: { type: string; data: Record<string, unknown>; after?: number };
}

/** Reads a stream until it has seen so many events, and breaks it off; without `until` what there is. */
async function watch(
  server: TestServer,
  query: string,
  { until: wanted = 0, headers = admin as Record<string, string>, opened = () => {} } = {},
): Promise<{ status: number; seen: Seen[] }> {
  const ending = new AbortController();
  const answer = await fetch(`${server.url}/v1/events/stream?${query}`, {
    headers: wanted ? { ...headers, accept: 'text/event-stream' } : headers,
    signal: ending.signal,
  });
  const seen: Seen[] = [];
  if (answer.status !== 200) return { status: answer.status, seen };
  let text = '';
  let isOpen = false;
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!isOpen) opened();
    isOpen = true;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: (.*)/s) as [string, string]),
      );
      text = text.slice(end + 2);
      const data = fields.get('data');
      if (!data) continue;
      seen.push({
        id: Number(fields.get('id') ?? Number.NaN) || null,
        event: fields.get('event')!,
        data: JSON.parse(data),
      });
    }
    if (wanted && seen.length >= wanted) break;
  }
  ending.abort();
  return { status: 200, seen };
}
const write = (n: number, type = 'conversion.recorded') =>
  inSites(one.database.app, siteId, (tx) => insertNews(tx, siteId, type, { n }));
const lastSeq = async () => (await one.services.outbox.ends(siteId)).lastSeq;

test('a lead that one process takes is seen at the other', async () => {
  const opened = Promise.withResolvers<void>();
  const watching = watch(other, `siteId=${siteId}&types=lead.captured`, { until: 1, opened: opened.resolve });
  await opened.promise;
  await call(`${one.url}/v1/leads/capture`, 'POST', { email: address(), anonId: anon(), path: '/contact' });
  const { seen } = await watching;
  assert.deepEqual([seen[0]!.event, seen[0]!.data.data.path], ['lead.captured', '/contact']);
});

test('whoever comes again after the last number sees all the rest once, at whichever process, while two write', async () => {
  const start = await lastSeq();
  const writing = (async () => {
    for (let n = 0; n < 300; n += 2) {
      const seqs = await Promise.all([write(n), write(n + 1)]);
      one.services.outbox.wrote(siteId, Math.max(...seqs.map(Number)));
    }
  })();
  const ids: number[] = [];
  for (let turn = 0; ids.length < 300; turn += 1) {
    const last = ids.at(-1) ?? start;
    const { seen } = await watch(turn % 2 ? other : one, `siteId=${siteId}`, {
      until: Math.min(40, 300 - ids.length),
      headers: { ...admin, 'last-event-id': String(last) },
    });
    ids.push(...seen.map(({ id }) => id!));
  }
  await writing;
  assert.deepEqual(
    ids,
    Array.from({ length: ids.length }, (_, i) => start + 1 + i),
  );
});

test('who was away for longer than is kept is told to begin anew, as is who knows a number that never was', async () => {
  const end = await lastSeq();
  await one.database.owner.query('delete from outbox where seq < $1', [end]);
  for (const [after, reset] of [
    [end - 2, true],
    [end - 1, false],
    [end, false],
    [end + 5, true],
  ] as const) {
    const { seen } = await watch(one, `siteId=${siteId}&after=${after}`);
    assert.equal(
      seen.some(({ event, data }) => event === 'reset' && data.after === end),
      reset,
      `${after}`,
    );
  }
});

test('who was away while nobody was listened for is told to begin anew, though no later number is there', async () => {
  await one.services.outbox.listenADay(siteId);
  const seq = Number(await write(1));
  const lapse = () =>
    one.database.owner.query(
      "update outbox_heads set listened_until = now() - interval '1 hour' where site_id = $1",
      [siteId],
    );
  await lapse();
  assert.equal(await write(2), null, 'nobody is told');
  const isReset = async (after: number) =>
    (await watch(one, `siteId=${siteId}&after=${after}`)).seen.some(({ event }) => event === 'reset');
  assert.equal(await isReset(seq), true);
  const now = await lastSeq();
  assert.equal(await isReset(now), false);
  assert.equal(await lastSeq(), now, 'and no number more is left out while somebody listens');
});

test('whoever reads as fast as things happen is not cut off, however many happen at once; nor who asks for all there is', async () => {
  const start = await lastSeq();
  const opened = Promise.withResolvers<void>();
  const watching = watch(other, `siteId=${siteId}&types=conversion.recorded`, {
    until: 500,
    opened: opened.resolve,
  });
  await opened.promise;
  const orders = Array.from({ length: 500 }, (_, n) => ({
    id: `batch-${start}-${n}-${'x'.repeat(100)}`,
    kind: 'purchase',
    anonId: anon(),
    amount: '49.90',
    currency: 'CAD',
  }));
  assert.equal((await call(`${one.url}/v1/conversions`, 'POST', { conversions: orders }, admin)).status, 200);
  assert.equal((await watching).seen.length, 500);
  const all = await watch(one, `siteId=${siteId}&after=${start}`);
  assert.deepEqual(
    all.seen.map(({ id }) => id),
    Array.from({ length: 500 }, (_, n) => start + 1 + n),
  );
});

test('a ticket opens one stream once, and carries no more than its maker may do', async () => {
  const key = await call(`${one.url}/v1/keys`, 'POST', { name: 'numbers', scopes: ['read'] }, admin);
  const bearer = { authorization: `Bearer ${key.body.token}` };
  const { body, status } = await call(`${one.url}/v1/events/stream/tickets`, 'POST', { siteId }, bearer);
  assert.equal(status, 201);
  await write(1, 'lead.captured');
  await write(2, 'webhook.dead');
  const query = `siteId=${siteId}&after=${(await lastSeq()) - 2}&ticket=${body.ticket}`;
  const { seen } = await watch(other, query, { headers: {} });
  assert.deepEqual(
    seen.map(({ event }) => event),
    ['webhook.dead'],
    'who sees numbers only is told of no lead',
  );
  assert.equal((await watch(other, query, { headers: {} })).status, 401);
  const again = await call(`${one.url}/v1/events/stream/tickets`, 'POST', { siteId }, bearer);
  const twenty = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      watch(n % 2 ? one : other, `siteId=${siteId}&ticket=${again.body.ticket}`, { headers: {} }),
    ),
  );
  assert.equal(twenty.filter((answer) => answer.status === 200).length, 1, 'also of twenty at once');
  const late = await call(`${one.url}/v1/events/stream/tickets`, 'POST', { siteId }, bearer);
  await one.database.owner.query("update stream_tickets set expires_at = now() - interval '1 s'");
  const used = `siteId=${siteId}&ticket=${late.body.ticket}`;
  assert.equal((await watch(other, used, { headers: {} })).status, 401);
});

test('a stream ends with the beat after what let its reader in, and a ticket with it; who may less is told less, and who still may goes on', async () => {
  const PASSWORD = 'rye, oats and a spoon';
  const siteKey = one.services.sites.fallback().key;
  const join = async (role: string) => {
    const made = await call(`${one.url}/v1/invitations`, 'POST', { role, sites: [siteKey] }, admin);
    const token = (made.body.link as string).split('/').at(-1)!;
    const email = `${role}-${randomUUID()}@people.example`;
    return signedIn(await signUpWith(one, token, email, PASSWORD));
  };
  const owner = await newOwner(one, 'reader@people.example', PASSWORD);
  const [lowered, disabled, narrowed, steady] = [
    await join('viewer'),
    await join('viewer'),
    await join('analyst'),
    await join('analyst'),
  ];
  const made = await call(`${one.url}/v1/keys`, 'POST', { name: 'reader', scopes: ['read'] }, admin);
  const bearer = { authorization: `Bearer ${made.body.token}` };
  const ticketOf = async (headers: Record<string, string>) =>
    (await call(`${one.url}/v1/events/stream/tickets`, 'POST', { siteId }, headers)).body.ticket as string;
  const open = (query: string, headers: Record<string, string>) =>
    fetch(`${one.url}/v1/events/stream?siteId=${siteId}${query}`, {
      headers: { ...headers, accept: 'text/event-stream' },
    });
  /** Reads on by itself: what it was told so far, and whether it was told that this is all. */
  const reading = async (query: string, headers: Record<string, string>) => {
    const answer = await open(query, headers);
    assert.equal(answer.status, 200);
    const told: string[] = [];
    const state = { told, hasEnded: false };
    void (async () => {
      for await (const { event, data } of eventsOf(answer)) told.push(`${event} ${data.data.n}`);
      state.hasEnded = true;
    })();
    return state;
  };
  const shutOut = [
    await reading('', owner.headers),
    await reading('', bearer),
    await reading(`&ticket=${await ticketOf(owner.headers)}`, {}),
    await reading(`&ticket=${await ticketOf(bearer)}`, {}),
    await reading('', lowered.headers),
    await reading(`&ticket=${await ticketOf(lowered.headers)}`, {}),
    await reading('', disabled.headers),
  ];
  const lessOf = await reading('', narrowed.headers);
  const allOf = await reading('', steady.headers);
  const tell = async (n: number) => {
    await write(n, 'lead.captured');
    one.services.outbox.wrote(siteId, Number(await write(n, 'webhook.dead')));
    await until(`${n} is told`, () => allOf.told.includes(`webhook.dead ${n}`));
  };
  await tell(1);
  await until('all are told', () =>
    [...shutOut, lessOf].every(({ told }) => told.includes('webhook.dead 1')),
  );

  const late = [await ticketOf(owner.headers), await ticketOf(bearer), await ticketOf(disabled.headers)];
  const user = (who: SignedIn, body: object) =>
    call(`${one.url}/v1/users/${who.userId}`, 'PATCH', body, admin);
  await call(`${one.url}/v1/auth/logout`, 'POST', {}, owner.headers);
  await call(`${one.url}/v1/keys/${made.body.key.keyId}`, 'DELETE', undefined, admin);
  const changed = [
    await user(lowered, { grants: [{ site: siteKey, role: 'privacy' }] }),
    await user(disabled, { disabled: true }),
    await user(narrowed, { grants: [{ site: siteKey, role: 'viewer' }] }),
  ];
  assert.deepEqual(
    changed.map(({ status }) => status),
    [200, 200, 200],
  );
  for (const ticket of late) assert.equal((await open(`&ticket=${ticket}`, {})).status, 401);
  await one.services.streams.beat();
  await tell(2);
  await until('they have ended', () => shutOut.every(({ hasEnded }) => hasEnded));
  for (const { told } of shutOut)
    assert.ok(!told.includes('webhook.dead 2'), 'nothing is told that came after the beat');
  assert.deepEqual([lessOf.hasEnded, allOf.hasEnded], [false, false]);
  await until('who sees numbers only is told that', () => lessOf.told.includes('webhook.dead 2'));
  assert.deepEqual(lessOf.told, ['lead.captured 1', 'webhook.dead 1', 'webhook.dead 2']);
  assert.deepEqual(allOf.told, ['lead.captured 1', 'webhook.dead 1', 'lead.captured 2', 'webhook.dead 2']);

  for (const { userId } of [narrowed, steady])
    assert.equal((await call(`${one.url}/v1/users/${userId}`, 'DELETE', undefined, admin)).status, 200);
  await one.services.streams.beat();
  await until('none is open', () => one.services.streams.size === 0);
});

test('twenty streams a site are open at most, and who leaves makes room', async () => {
  const endings = Array.from({ length: 20 }, () => new AbortController());
  const open = (signal?: AbortSignal) =>
    fetch(`${one.url}/v1/events/stream?siteId=${siteId}`, {
      headers: { ...admin, accept: 'text/event-stream' },
      ...(signal ? { signal } : {}),
    });
  for (const { signal } of endings) assert.equal((await open(signal)).status, 200);
  const refused = await open();
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '60']);
  for (const ending of endings) ending.abort();
  while (one.services.streams.size > 0) await new Promise((done) => setTimeout(done, 5));
  // nor when all come at once
  const crowd = Array.from({ length: 25 }, () => new AbortController());
  const answers = await Promise.all(crowd.map(({ signal }) => open(signal)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 20);
  for (const ending of crowd) ending.abort();
  while (one.services.streams.size > 0) await new Promise((done) => setTimeout(done, 5));
});

test('who does not read is cut off with 64 KB unsent, and the others go on', async () => {
  const { streams } = one.services;
  const wanted = { siteId, after: null, isWanted: () => true, follows: true, mayStill: async () => true };
  const lazy = await streams.open(wanted);
  lazy.on('error', () => {});
  const closed = new Promise((done) => lazy.once('close', done));
  await inSites(one.database.app, siteId, (tx) =>
    tx.query(
      "select tell_others($1, 'conversion.recorded', jsonb_build_object('n', repeat('x', 1000)), null) from generate_series(1, 100)",
      [siteId],
    ),
  );
  one.services.outbox.wrote(siteId, await lastSeq());
  await closed;
  assert.equal(streams.size, 0);
  assert.equal((await watch(one, `siteId=${siteId}&types=nothing`)).status, 400);
});

test('who asks for counts is told the numbers of today as the summary has them, at whichever process, and again when they change', async () => {
  const { site } = (
    await call(`${one.url}/v1/sites`, 'POST', { key: 'counted', settings: { timeZone: 'Asia/Tokyo' } }, admin)
  ).body;
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Tokyo' }).format(new Date());
  const none = { day, visitors: 0, sessions: 0, pageViews: 0, leads: 0, purchases: 0 };
  const propertyId = 'counted';
  const rollUp = () => call(`${one.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const ending = new AbortController();
  const answer = await fetch(`${other.url}/v1/events/stream?siteId=${site.siteId}&types=counts`, {
    headers: { ...admin, accept: 'text/event-stream' },
    signal: ending.signal,
  });
  const events = eventsOf(answer);
  // biome-ignore lint/suspicious/noExplicitAny: as it is sent
  const next = async (): Promise<any> => {
    const { id, event, data } = (await events.next()).value!;
    assert.deepEqual([id, event, data.type], [null, 'counts', 'counts'], 'it has no place to come back to');
    return data.data;
  };
  const nextWhere = async (field: keyof typeof none, value: number) => {
    for (let last = none; ; ) {
      const now = await next();
      assert.notDeepEqual(now, last, 'the same is not told again');
      last = now;
      if (now[field] === value) return now;
    }
  };
  assert.deepEqual(await next(), none);
  const email = address();
  await call(`${one.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), path: '/', propertyId });
  assert.equal((await nextWhere('leads', 1)).day, day);
  await call(`${one.url}/v1/conversions`, 'POST', { id: '1', kind: 'purchase', email, propertyId }, admin);
  await nextWhere('purchases', 1);
  await call(`${one.url}/v1/events`, 'POST', makeEvent({ anonId: anon(), propertyId }));
  await rollUp();
  const last = await nextWhere('visitors', 2);
  const { body } = await call(
    `${one.url}/v1/metrics/summary?from=${day}&to=${day}&propertyId=counted`,
    'GET',
    undefined,
    admin,
  );
  assert.deepEqual(last, {
    day,
    visitors: body.metrics.uniqueVisitors.value,
    sessions: body.metrics.sessions.value,
    pageViews: body.metrics.totalPageViews.value,
    leads: body.totals.leads,
    purchases: body.totals.purchases,
  });
  const late = await fetch(`${other.url}/v1/events/stream?siteId=${site.siteId}&types=counts`, {
    headers: { ...admin, accept: 'text/event-stream' },
    signal: ending.signal,
  });
  assert.deepEqual((await eventsOf(late).next()).value!.data.data, last, 'who comes later is told at once');
  ending.abort();
});

test('however much changes at once, the numbers are read once; and never for a site that nobody listens to', async () => {
  const numbers = { day: '2026-01-31', visitors: 0, sessions: 0, pageViews: 0, leads: 0, purchases: 0 };
  const read: string[] = [];
  const told: string[] = [];
  let isTold = Promise.withResolvers<void>();
  const counts = openCounts({
    async read(siteId) {
      read.push(siteId);
      return { ...numbers, visitors: read.length };
    },
    day: () => numbers.day,
    heard: () => ['heard'],
    tell(siteId) {
      told.push(siteId);
      isTold.resolve();
    },
    log: makeLog('silent'),
  });
  for (let i = 0; i < 100; i += 1) counts.channel.heard('unheard,heard');
  await isTold.promise;
  assert.deepEqual([read, told], [['heard'], ['heard']]);
  isTold = Promise.withResolvers<void>();
  for (let i = 0; i < 100; i += 1) counts.channel.heard('');
  await isTold.promise;
  assert.deepEqual([read.length, told.length], [2, 2]);
  counts.drop('heard');
});

test('who watches a site is told once that what its pages are shown changed, whichever process built it', async () => {
  const { key, siteId: shop } = await newSite(one);
  await one.services.outbox.listenADay(shop);
  const ids = await orders(one, key, 6);
  await running(one, key);
  await until(
    'the other process knows the site',
    async () => (await call(`${other.url}/v1/feed?site=${key}`)).status === 200,
  );
  const told = async () => {
    for (const { url } of [one, other]) await call(`${url}/v1/feed?site=${key}`);
    return (await one.services.outbox.read(shop, 0, 1000)).filter(({ type }) => type === 'feed.updated');
  };
  await until('the first is told', async () => (await told()).length > 0);
  const before = await told();
  // built again, and says the same
  const isBuilt = Promise.all(
    [one, other].map(
      ({ services }) =>
        new Promise<void>((done) => {
          const stop = services.feeds.onBuilt((built) => {
            if (built !== shop) return;
            stop();
            done();
          });
        }),
    ),
  );
  await call(`${one.url}/v1/sites/${key}`, 'PATCH', { settings: { till: 1 } }, admin);
  await isBuilt;
  const opened = Promise.withResolvers<void>();
  const watching = watch(other, `siteId=${shop}&types=feed.updated`, { until: 1, opened: opened.resolve });
  await opened.promise;
  const voidedAt = new Date().toISOString();
  for (const id of ids.slice(0, 2))
    await call(
      `${one.url}/v1/conversions`,
      'POST',
      { propertyId: key, id, kind: 'purchase', anonId: 'x-browser-1', voidedAt },
      admin,
    );
  const [seen] = (await watching).seen;
  assert.equal(seen!.event, 'feed.updated');
  assert.deepEqual(Object.keys(seen!.data.data).sort(), ['asOf', 'content']);
  await until('the card is gone at both', async () => {
    const feeds = await Promise.all([one, other].map(({ url }) => call(`${url}/v1/feed?site=${key}`)));
    return feeds.every(({ body }) => body.items.length === 0);
  });
  const all = await told();
  const contents = all.map(({ data }) => data.content);
  assert.ok(all.length > before.length);
  for (const [i, content] of contents.entries())
    assert.notEqual(content, contents[i - 1], 'the same is not told twice in a row');
  const endpoint = { url: 'https://crm.example.com/told', types: ['feed.updated'] };
  const refused = await call(`${one.url}/v1/sites/${key}/webhooks`, 'POST', endpoint, admin);
  assert.equal(refused.status, 400, 'endpoints are told of causes, not of what a page would be shown');
});

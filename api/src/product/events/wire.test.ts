// A batch travels as one binary array: what PostgreSQL reads must be what was written, field by field.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/server.ts';
import type { ArrivedEvent } from './enrich.ts';
import { asBinaryArray, FIELDS } from './wire.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

test('the fields of a batch are those of the type arrived_event, in its order', async () => {
  const { rows } = await server.database.owner.query(
    `select attname as name, replace(typname, 'pg_catalog.', '') as type from pg_attribute a join pg_type t on t.oid = a.atttypid
     where attrelid = (select typrelid from pg_type where typname = 'arrived_event') and attnum > 0 and not attisdropped order by attnum`,
  );
  assert.deepEqual(
    rows.map(({ name, type }) => [name, type]),
    FIELDS.map(([name, type]) => [name, type]),
  );
});

test('every value arrives as it was sent, whatever it holds', async () => {
  const full: ArrivedEvent = {
    site_id: '01890000-0000-7000-8000-000000000001',
    event_id: '01890000-0000-7000-8000-00000000000f',
    body_key: 'abcdef01-2345-8789-8abc-def012345678',
    visitor_id: '01890000-0000-7000-8000-0000000000ff',
    client_at: '2026-02-28T23:59:59.999Z',
    received_at: '1999-12-31T23:59:59.001Z',
    event_type: 'page_view',
    path: `/"quotes"/\\back\\/{braces}/,/'/é/漢/😀?utm_source=a`,
    referrer: `https://example.org/${'ü'.repeat(4000)}`,
    source: 'campaign',
    utm: { source: 'news"letter', campaign: 'a\\b' },
    bot_reason: 'declared',
    privacy_signal: true,
    is_conversion: false,
    engaged_ms: 86_400_000,
    scroll_percent: 99.5,
    fcp_ms: 0,
    lcp_ms: 120_000,
    inp_ms: 0.25,
    ttfb_ms: 1,
    cls_score: 9.75,
    props: { nested: { list: [1, 'zwei', null, true] }, text: 'line\nbreak\ttab "quote" \\ 😀' },
    ip_hash: `\\x${'0a'.repeat(32)}`,
    ua_hash: `\\x${'ff'.repeat(32)}`,
    device_type: 'mobile',
    browser: 'Chrome',
    os: 'Android',
    country: 'CA',
  };
  const { site_id, event_id, visitor_id, event_type, path, source } = full;
  const bare: ArrivedEvent = {
    ...{ site_id, event_id, visitor_id, event_type, path, source },
    privacy_signal: false,
    is_conversion: true,
    device_type: 'unknown',
  };
  const batch = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? full : bare));
  const { owner } = server.database;
  const typeOid = (await owner.query("select 'arrived_event'::regtype::oid as oid")).rows[0].oid;
  const { rows } = await owner.query('select to_jsonb(e) as event from unnest($1::arrived_event[]) e', [
    asBinaryArray(batch, typeOid),
  ]);
  assert.equal(rows.length, batch.length);
  const instant = (text: string) => new Date(text).toISOString();
  for (const [i, { event }] of rows.entries()) {
    const got = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null));
    for (const name of ['client_at', 'received_at']) if (got[name]) got[name] = instant(got[name] as string);
    assert.deepEqual(got, batch[i]);
  }
});

test('a row of a site that the batch did not name is refused by the database', async () => {
  const { owner } = server.database;
  const typeOid = (await owner.query("select 'arrived_event'::regtype::oid as oid")).rows[0].oid;
  const [site] = (await owner.query('select site_id from sites')).rows;
  const stranger: ArrivedEvent = {
    site_id: site.site_id,
    event_id: '01890000-0000-7000-8000-00000000aaaa',
    visitor_id: '01890000-0000-7000-8000-00000000bbbb',
    event_type: 'page_view',
    path: '/',
    source: 'direct',
    privacy_signal: false,
    is_conversion: false,
    device_type: 'unknown',
  };
  await assert.rejects(
    server.services.db.query('select * from ingest_events($1, $2, $3, $4)', [
      asBinaryArray([stranger], typeOid),
      '[]',
      '30 minutes',
      '01890000-0000-7000-8000-000000000001',
    ]),
    /row-level security/,
  );
});

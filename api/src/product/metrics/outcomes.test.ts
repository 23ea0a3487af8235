// Whom a conversion belongs to, on which day it counts, and what it is credited to, also when raw rows are gone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { idOf, partitions } from '../../../test/record.ts';
import { startServer, type TestServer } from '../../../test/server.ts';
import { DAY, on, smallSites, utm } from '../../../test/small-site.ts';
import { addDays } from '../../ground/lib/days.ts';

let server: TestServer;
let { rows, post, rollUp, siteWith } = {} as ReturnType<typeof smallSites>;
before(async () => {
  server = await startServer({ METRICS_SUMMARY_CACHE_TTL_MS: '0' });
  ({ rows, post, rollUp, siteWith } = smallSites(server));
  await partitions(server.database.owner, addDays(DAY, -30), addDays(DAY, 12));
});
after(() => server.end());

test('a browser’s own signup or verification is that of one of its leads: who left an address there last', async () => {
  const site = await siteWith('sharing', [
    ['kiosk', '10:00', 'page_view'],
    ['kiosk', '10:59', 'signup'], // seconds before bob's capture: one form makes account and lead
    ['kiosk', '13:00', 'email_verify'],
  ]);
  await site.lead('ada', `${DAY}T10:05:00Z`, 'kiosk');
  await site.lead('bob', `${DAY}T11:00:00Z`, 'kiosk');
  await site.lead('cleo', `${DAY}T12:00:00Z`, 'kiosk');
  await rollUp();
  const { leads } = await site.get('leads');
  const [ada, bob, cleo] = leads;
  assert.deepEqual(
    [ada, bob, cleo].map(({ verified, signedUpAt }) => [verified, signedUpAt !== null]),
    [
      [false, false],
      [false, true],
      [true, false],
    ],
  );
});

test('who was imported and sends a form later is a lead of that form’s day', async () => {
  const site = await siteWith('importing', [['ada', '10:00', 'page_view', { source: 'organic_search' }]]);
  await site.lead('ada', on(25), null, on(25));
  await rollUp();
  assert.equal((await site.get('summary', addDays(DAY, -30), DAY)).totals.leads, 0);
  const leadId = idOf('importing ada');
  await rows(
    "insert into submissions (site_id, submission_id, lead_id, form_name, submitted_at) values ($1, $2, $2, 'news', $3)",
    [site.siteId, leadId, `${DAY}T10:05:00Z`],
  );
  await rows(
    "insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at) values ($1, $2, $3, 'form_submit', 1, $4)",
    [site.siteId, leadId, site.visitor('ada'), `${DAY}T10:05:00Z`],
  );
  await rows('update leads set last_submitted_at = $2 where lead_id = $1', [leadId, `${DAY}T10:05:00Z`]);
  await rollUp();
  const { leads } = await site.get('leads');
  assert.deepEqual(
    leads.map(({ source, firstCapturedAt }: Record<string, unknown>) => [source, firstCapturedAt]),
    [['organic_search', `${DAY}T10:05:00.000Z`]],
  );
});

test('attribution counts a conversion on its own day, money to the last place, and survives the purge of raw rows', async () => {
  const site = await siteWith('crediting', [
    ['ada', on(21), 'page_view', utm('google', 'cpc', 'spring')],
    ['ada', on(20), 'page_view', { source: 'email' }],
    ['ada', on(19), 'page_view', { source: 'direct' }],
    ['robot', on(22), 'page_view', { source: 'social', bot_reason: 'user_agent' }],
  ]);
  await site.lead('ada', on(19, '10:05'), 'ada');
  await rows(
    "insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at) values ($1, $2, $3, 'form_submit', 1, $4)",
    [site.siteId, idOf('crediting ada'), site.visitor('robot'), on(19, '10:05')],
  );
  const told = (id: string, kind: string, more: Record<string, unknown> = {}) => ({
    id,
    kind,
    email: 'ada@crediting.example',
    occurredAt: `${DAY}T10:00:00Z`,
    ...more,
  });
  const paid = { amount: '0.1', currency: 'CAD' };
  await post('/v1/conversions', {
    propertyId: 'crediting',
    conversions: [
      told('s', 'signup'),
      told('p1', 'purchase', paid),
      told('p2', 'purchase', { ...paid, amount: '0.2' }),
      told('p3', 'purchase', { ...paid, amount: '500' }),
      told('p3', 'purchase', { ...paid, voidedAt: `${DAY}T12:00:00Z` }),
      told('p4', 'purchase', { ...paid, amount: '7', email: 'nobody@crediting.example' }),
    ],
  });
  await rollUp();
  const ask = async () => ({
    lead: await site.get('attribution', addDays(DAY, -19)),
    signup: await site.get('attribution?of=signup'),
    bySignupOfCapture: await site.get('attribution?of=signup&by=capture', addDays(DAY, -19)),
    noneThatDay: await site.get('attribution?of=signup', addDays(DAY, -19)),
    purchase: await site.get('attribution?of=purchase'),
  });
  const before = await ask();
  assert.deepEqual(
    [before.lead, before.signup, before.bySignupOfCapture, before.noneThatDay, before.purchase].map(
      ({ conversions }) => conversions,
    ),
    [1, 1, 1, 0, 3],
  );
  // what came by itself counts only where there is nothing else, and a robot never came
  assert.deepEqual(
    before.lead.rows.map(({ source, campaign, first, last }: Record<string, unknown>) => [
      source,
      campaign,
      first,
      last,
    ]),
    [
      ['email', null, 0, 1],
      ['paid_search', 'spring', 1, 0],
    ],
  );
  const revenue = Object.fromEntries(
    before.purchase.rows.map((row: { source: string; revenue: { CAD: Record<string, number> } }) => [
      row.source,
      [row.revenue.CAD.first, row.revenue.CAD.last, row.revenue.CAD.linear],
    ]),
  );
  assert.deepEqual(revenue, { paid_search: [0.3, 0, 0.15], email: [0, 0.3, 0.15], unknown: [7, 7, 7] });
  const { totals } = await site.get('summary');
  assert.deepEqual([totals.purchases, totals.revenueByCurrency], [3, { CAD: 7.3 }]);

  // as the purge does: the days are sealed, then their rows go
  await rows('update rollup_state set sealed_at = now() where site_id = $1 and day < $2', [
    site.siteId,
    addDays(DAY, -9),
  ]);
  for (const table of ['events', 'sessions', 'visitors'])
    await rows(`delete from ${table} where site_id = $1`, [site.siteId]);
  await rows('insert into dirty_leads (site_id, lead_id) values ($1, $2)', [
    site.siteId,
    idOf('crediting ada'),
  ]);
  assert.deepEqual(await ask(), before);
  await rollUp();
  assert.deepEqual(await ask(), before);
  // who is first gathered afterwards is told as such
  await site.lead('late', on(5), 'late');
  await rollUp();
  const late = await site.get('attribution', addDays(DAY, -5));
  assert.deepEqual(
    [late.touchesKnownSince, late.conversionsBeforeThat, late.conversions],
    [on(9, '00:00'), 1, 1],
  );
});

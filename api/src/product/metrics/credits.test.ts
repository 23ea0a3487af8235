// What conversions are credited to is kept with the leads' facts, and is never another answer than the sessions, links and
// purchases give when they are read one by one: after random visits of months, late ones, links and their undoing, verdicts,
// voided purchases and erasures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { leadSteps, PEOPLE } from '../../../test/lead-steps.ts';
import { partitions, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { numberOf, splitUnits, unitsOf } from '../../ground/lib/decimal.ts';
import { credit } from './credit.model.ts';
import { BY, type By, MODELS, type Model, OF, type Of, WHOLE } from './reports/credits.ts';

const SEED = process.env.SEED ?? 'credits';
const random = randomFrom(SEED);
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
const DAY_MS = 86_400_000;

let server: TestServer;
let siteId: string;
let { STEPS, post, rollUp, rows } = {} as ReturnType<typeof leadSteps>;
const TODAY = dayOf(Date.now());
before(async () => {
  server = await startServer({ METRICS_SUMMARY_CACHE_TTL_MS: '0' });
  siteId = server.services.sites.fallback().siteId;
  ({ STEPS, post, rollUp, rows } = leadSteps(server, siteId, random));
  await partitions(server.database.owner, addDays(TODAY, -130), addDays(TODAY, 1));
});
after(() => server.end());

let told = 0;
const bought: Record<string, unknown>[] = [];
const MORE: Record<string, () => Promise<unknown>> = {
  // months ago, in any order, some with a campaign in one of two spellings
  'old visits': () =>
    record(
      server.database.app,
      siteId,
      Array.from({ length: 6 }, () => {
        told += 1;
        return {
          id: `old ${told}`,
          visitor: pick(PEOPLE).anonId,
          at: new Date(Date.now() - below(120) * DAY_MS - below(DAY_MS)).toISOString(),
          source: pick(['direct', 'social', 'email', 'internal', 'carried']),
          ...(random() < 0.4
            ? {
                source: 'paid_search',
                utm: { source: 'google', medium: 'cpc', campaign: pick(['spring', 'Spring', 'bread']) },
              }
            : {}),
        };
      }),
      3,
    ),
  purchase: async () => {
    told += 1;
    const { email, anonId } = pick([...PEOPLE, { email: 'nobody@example.com', anonId: 'nobody-known' }]);
    const purchase = {
      id: `bought ${told}`,
      kind: 'purchase',
      ...(random() < 0.5 ? { email } : { anonId }),
      occurredAt: new Date(Date.now() - below(20) * DAY_MS).toISOString(),
      ...(random() < 0.8
        ? { amount: pick(['0.01', '19.99', '100', '33.3333']), currency: pick(['CAD', 'EUR']) }
        : {}),
    };
    bought.push(purchase);
    await post('/v1/conversions', purchase);
  },
  void: async () => {
    if (bought.length > 0 && random() < 0.5)
      await post('/v1/conversions', { ...pick(bought), voidedAt: new Date().toISOString() }, [200, 409]);
  },
  // leads of before today: their facts are what the form told then
  'older capture': () =>
    rows(
      `update leads set first_captured_at = first_captured_at - $2 * interval '1 day' where site_id = $1 and email = $3
         and first_captured_at > now() - interval '40 days'`,
      [siteId, below(20), pick(PEOPLE).email],
    ),
};

interface Happened {
  lead_id: string | null;
  at: Date;
  source: string;
  campaign: string | null;
  amount: string | null;
  currency: string | null;
}

/** What happened in the window, by the definitions read one by one. */
async function happened(of: Of, by: By, from: string, to: string): Promise<Happened[]> {
  const facts = (
    await inSites(server.database.app, siteId, (db) =>
      db.query(
        'select f.* from gather_lead_facts($1, (select array_agg(lead_id) from leads where site_id = $1)) f',
        [siteId],
      ),
    )
  ).rows;
  const inside = (at: Date | null) => at !== null && dayOf(at.getTime()) >= from && dayOf(at.getTime()) <= to;
  const no = { amount: null, currency: null };
  if (of !== 'purchase') {
    const moment = { lead: 'first_captured_at', signup: 'signed_up_at', activation: 'activated_at' }[of];
    return facts
      .filter((fact) => fact[moment] && inside(by === 'capture' ? fact.first_captured_at : fact[moment]))
      .map((fact) => ({ ...fact, at: fact[moment], ...no }));
  }
  const purchases = await rows(
    `select occurred_at as at, amount::text, currency, coalesce(lead_id, case when email_hash is null then (
       select i.lead_id from lead_identities i join leads l using (site_id, lead_id)
       where i.site_id = c.site_id and i.visitor_id = c.visitor_id and i.link_source <> 'same_ip_ua_window' and i.unlinked_at is null
         and (i.ended_at is null or i.ended_at >= c.occurred_at)
         and case i.link_source when 'form_submit' then i.linked_at else l.first_captured_at end <= c.occurred_at + interval '10 minutes'
       order by abs(extract(epoch from c.occurred_at - case i.link_source when 'form_submit' then i.linked_at else l.first_captured_at end)), i.lead_id
       limit 1) end) as lead_id
     from conversions c where site_id = $1 and kind = 'purchase' and voided_at is null`,
  );
  return purchases.flatMap((purchase) => {
    const fact = facts.find(({ lead_id }) => lead_id === purchase.lead_id);
    if (by === 'capture')
      return fact && inside(fact.first_captured_at)
        ? [{ ...purchase, source: fact.source, campaign: fact.campaign }]
        : [];
    if (!inside(purchase.at)) return [];
    return [{ ...purchase, source: fact?.source ?? 'unknown', campaign: fact?.campaign ?? null }];
  });
}

interface Row {
  credits: Record<string, number>;
  revenue: Record<string, Record<string, bigint>>;
}

async function truth(of: Of, by: By, from: string, to: string) {
  const sessions = await rows(
    `select i.lead_id, s.started_at, s.session_id, s.source, s.utm ->> 'campaign' as campaign,
       s.is_carried or s.source in ('direct', 'carried') as is_weak
     from sessions s join (
       select lead_id, visitor_id, max(coalesce(ended_at, 'infinity')) as ended_at from lead_identities
       where site_id = $1 and unlinked_at is null and link_source <> 'same_ip_ua_window' group by 1, 2) i using (visitor_id)
     where s.site_id = $1 and not s.is_bot and s.source <> 'internal' and s.started_at <= i.ended_at
     order by s.started_at, s.session_id`,
  );
  const total = new Map<string, Row>();
  let touches = 0;
  const conversions = await happened(of, by, from, to);
  for (const each of conversions) {
    const at = each.at.getTime();
    const before = sessions.filter(
      ({ lead_id, started_at }) =>
        lead_id === each.lead_id && started_at.getTime() <= at && started_at.getTime() > at - 90 * DAY_MS,
    );
    const strong = before.filter(({ is_weak }) => !is_weak);
    const path = strong.length > 0 ? strong : before.length > 0 ? before : [each];
    touches += path.length;
    const ages = path.map((touch) => at - (touch.started_at ?? each.at).getTime());
    for (const model of MODELS) {
      const shares = credit(model, ages);
      const money =
        each.amount === null || each.currency === null
          ? null
          : splitUnits(unitsOf(each.amount), shares, WHOLE);
      for (const [i, { source, campaign }] of path.entries()) {
        const key = `${source} / ${campaign?.toLowerCase() ?? null}`;
        const row = total.get(key) ?? { credits: {}, revenue: {} };
        total.set(key, row);
        row.credits[model] = (row.credits[model] ?? 0) + shares[i]!;
        if (!money) continue;
        const earned = row.revenue[each.currency!] ?? {};
        row.revenue[each.currency!] = earned;
        earned[model] = (earned[model] ?? 0n) + money[i]!;
      }
    }
  }
  const all = [...total].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    conversions: conversions.length,
    touches,
    rows: all.map(([key, { credits, revenue }]) => [
      key,
      MODELS.map((model) => credits[model]! / WHOLE),
      of === 'purchase'
        ? Object.entries(revenue)
            .sort()
            .map(([currency, earned]) => [currency, MODELS.map((model) => numberOf(earned[model]!))])
        : null,
    ]),
  };
}

type Credited = Record<Model, number> & {
  source: string;
  campaign: string | null;
  revenue: Record<string, Record<Model, number>> | null;
};

async function answered(of: Of, by: By, from: string, to: string) {
  const { status, body } = await call(
    `${server.url}/v1/metrics/attribution?of=${of}&by=${by}&from=${from}&to=${to}`,
    'GET',
    undefined,
    admin,
  );
  assert.equal(status, 200, JSON.stringify(body));
  const credited: Credited[] = body.rows;
  const byKey = credited.map(
    (row) => [`${row.source} / ${row.campaign?.toLowerCase() ?? null}`, row] as const,
  );
  return {
    conversions: body.conversions,
    touches: body.touches,
    rows: byKey
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, row]) => [
        key,
        MODELS.map((model) => row[model]),
        row.revenue &&
          Object.entries(row.revenue)
            .sort()
            .map(([currency, earned]) => [currency, MODELS.map((model) => earned[model])]),
      ]),
  };
}

test(`whatever happened, credits are what sessions, links and purchases say (seed ${SEED})`, async () => {
  const all = { ...STEPS, ...MORE };
  let credited = 0;
  for (let step = 0; step < 180; step += 1) {
    const name =
      step < 12 ? 'capture' : step < 24 ? 'old visits' : pick([...Object.keys(all), ...Object.keys(MORE)]);
    await all[name]!();
    if (step % 12 !== 11) continue;
    const from = addDays(TODAY, -below(30));
    const to = addDays(from, below(32));
    const asked = OF.flatMap((of) => BY.map((by) => [of, by] as const));
    await rollUp();
    for (const [of, by] of asked) {
      const wanted = await truth(of, by, from, to);
      credited += wanted.rows.length;
      assert.deepEqual(
        await answered(of, by, from, to),
        wanted,
        `step ${step}: ${of} by ${by}, ${from} ${to}`,
      );
    }
    // none of them kept: the same
    await rows(
      'insert into dirty_leads (site_id, lead_id) select site_id, lead_id from leads where site_id = $1',
    );
    for (const [of, by] of asked)
      assert.deepEqual(
        await answered(of, by, from, to),
        await truth(of, by, from, to),
        `step ${step}, marked: ${of} by ${by}, ${from} ${to}`,
      );
  }
  assert.ok(credited > 300, `${credited} rows`);
  const [kept] = await rows(
    'select count(*)::int as all, max(touches)::int as touches from lead_credits where site_id = $1',
  );
  assert.ok(kept.all > 40 && kept.touches > 1, JSON.stringify(kept));
});

test('a campaign in several spellings is one row, shown as most touches had it', async () => {
  const from = addDays(TODAY, -60);
  const { body } = await call(
    `${server.url}/v1/metrics/attribution?from=${from}&to=${TODAY}`,
    'GET',
    undefined,
    admin,
  );
  const campaigns = body.rows.map(
    (row: Credited) => `${row.source} ${row.campaign?.toLowerCase()}`,
  ) as string[];
  assert.equal(new Set(campaigns).size, campaigns.length);
  const [most] = await rows(
    `select campaign from lead_credits where site_id = $1 and kind = 'lead' and source = 'paid_search' and lower(campaign) = 'spring'
     group by 1 order by sum(touches) desc, campaign collate "C" limit 1`,
  );
  assert.ok(
    body.rows.some((row: Credited) => row.source === 'paid_search' && row.campaign === most.campaign),
    JSON.stringify(body.rows),
  );
});

test('an erased lead leaves no credit behind', async () => {
  await STEPS.capture!();
  await rollUp();
  const [{ lead_id, email }] = await rows(
    'select lead_id, email from leads where site_id = $1 order by last_submitted_at desc limit 1',
  );
  const credits = () =>
    rows('select from lead_credits where site_id = $1 and lead_id = $2', [siteId, lead_id]);
  assert.ok((await credits()).length > 0);
  await post('/v1/leads/delete', { email });
  assert.equal((await credits()).length, 0);
});

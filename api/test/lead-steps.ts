// What happens to the leads of a site, each step by the public way: for tests that compare numbers with what they come from.
import assert from 'node:assert/strict';
import { visitorIdOf } from '../src/product/events/enrich.ts';
import { record } from './record.ts';
import { admin, call, type TestServer } from './server.ts';

/** Each with a browser of their own, which others use too at times. */
export const PEOPLE = Array.from({ length: 12 }, (_, n) => ({
  email: `person${n}@example.com`,
  anonId: `browser-${n}`,
}));

/** random  0..1, from the test's seed */
export function leadSteps(server: TestServer, siteId: string, random: () => number) {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const post = async (path: string, body: unknown, wanted = [200]) => {
    const answer = await call(`${server.url}${path}`, 'POST', body, admin);
    assert.ok(wanted.includes(answer.status), `${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const rollUp = () => post('/v1/admin/jobs/rollup', {});
  const rows = async (sql: string, values: unknown[] = [siteId]) =>
    (await server.database.owner.query(sql, values)).rows;
  const STEPS: Record<string, () => Promise<unknown>> = {
    capture: () => {
      const { email, anonId } = pick(PEOPLE);
      return post('/v1/leads/capture', {
        email,
        anonId: random() < 0.8 ? anonId : pick(PEOPLE).anonId,
        ...(random() < 0.3
          ? { utm: { source: 'google', medium: 'cpc', campaign: pick(['spring', 'bread']) } }
          : {}),
      });
    },
    visit: () =>
      record(server.database.app, siteId, [
        {
          id: `visit ${random()}`,
          visitor: pick(PEOPLE).anonId,
          at: new Date(Date.now() - 1000).toISOString(),
          type: pick(['page_view', 'signup', 'email_verify']),
        },
      ]),
    // earlier than anything known of its visitor
    'late event': () =>
      record(server.database.app, siteId, [
        {
          id: `late ${random()}`,
          visitor: pick(PEOPLE).anonId,
          at: new Date(Date.now() - Math.floor(random() * 80_000_000)).toISOString(),
        },
      ]),
    'conversion by email': () =>
      post('/v1/conversions', {
        id: `c ${random()}`,
        kind: pick(['signup', 'activation', 'purchase']),
        email: pick(PEOPLE).email,
      }),
    'conversion by anonId': () =>
      post('/v1/conversions', {
        id: `c ${random()}`,
        kind: pick(['signup', 'activation']),
        anonId: pick(PEOPLE).anonId,
        occurredAt: new Date(Date.now() + Math.floor((random() - 0.3) * 3_600_000)).toISOString(),
      }),
    merge: async () => {
      const [lead] = await rows('select lead_id from leads where site_id = $1 and email = $2', [
        siteId,
        pick(PEOPLE).email,
      ]);
      if (lead)
        await post(
          '/v1/identities/merge',
          { leadId: lead.lead_id, visitorId: visitorIdOf(siteId, pick(PEOPLE).anonId) },
          [200, 201, 404],
        );
    },
    unmerge: async () => {
      const [link] = await rows(
        "select lead_id, visitor_id from lead_identities where site_id = $1 and link_source = 'manual_merge' and unlinked_at is null limit 1",
      );
      if (link) await post('/v1/identities/unmerge', { leadId: link.lead_id, visitorId: link.visitor_id });
    },
    verification: () =>
      rows('update leads set verified_at = now() where site_id = $1 and email = $2 and verified_at is null', [
        siteId,
        pick(PEOPLE).email,
      ]),
    verdict: () =>
      post('/v1/admin/bots', { visitorId: visitorIdOf(siteId, pick(PEOPLE).anonId), bot: random() < 0.5 }),
    erasure: () =>
      random() < 0.4
        ? post('/v1/leads/delete', { email: pick(PEOPLE).email }, [200, 404])
        : Promise.resolve(),
    rollup: rollUp,
  };
  return { STEPS, post, rollUp, rows };
}

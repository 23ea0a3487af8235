// Small sites for tests about numbers: each with its own events by short words, its leads, and its reports.
import assert from 'node:assert/strict';
import { addDays, dayOf } from '../src/ground/lib/days.ts';
import { visitorIdOf } from '../src/product/events/enrich.ts';
import { idOf, type Recorded, record } from './record.ts';
import { admin, call, type TestServer } from './server.ts';

export const DAY = addDays(dayOf(Date.now()), -10);
/** An instant so many days before it. */
export const on = (before: number, time = '10:00') => `${addDays(DAY, -before)}T${time}:00.000Z`;

/** 'HH:MM' is of DAY. */
export type Seen = [visitor: string, at: string, type: string, more?: Partial<Recorded>];

/** What a test asks of one server: statements as its owner, posts that must succeed, rollups, and sites of their own. */
export function smallSites(server: TestServer) {
  const rows = async (sql: string, values: unknown[] = []) =>
    (await server.database.owner.query(sql, values)).rows;
  const post = async (path: string, body: unknown) => {
    const answer = await call(`${server.url}${path}`, 'POST', body, admin);
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const rollUp = () => post('/v1/admin/jobs/rollup', {});
  const siteWith = async (key: string, events: Seen[] = []) => {
    const made = await call(`${server.url}/v1/sites`, 'POST', { key }, admin);
    const siteId = made.body.site.siteId as string;
    await record(
      server.database.app,
      siteId,
      events.map(([visitor, at, type, more = {}], n) => ({
        id: `${key} ${n}`,
        visitor: `${key} ${visitor}`,
        at: at.length === 5 ? `${DAY}T${at}:00.000Z` : at,
        type,
        ...more,
      })),
    );
    await rollUp();
    return {
      siteId,
      visitor: (name: string) => visitorIdOf(siteId, `${key} ${name}`),
      get: async (path: string, from = DAY, to = from) => {
        const joint = path.includes('?') ? '&' : '?';
        const answer = await call(
          `${server.url}/v1/metrics/${path}${joint}from=${from}&to=${to}&propertyId=${key}`,
          'GET',
          undefined,
          admin,
        );
        assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
        return answer.body;
      },
      lead: async (name: string, at: string, browser: string | null, importedAt: string | null = null) => {
        await rows(
          `insert into leads (site_id, lead_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, first_source,
           first_visitor_id, unsubscribe_key, imported_at) values ($1, $2, $3, $3, 'example.com', $4, $4, 'email', $5, $3, $6)`,
          [
            siteId,
            idOf(`${key} ${name}`),
            `${name}@${key}.example`,
            at,
            browser && visitorIdOf(siteId, `${key} ${browser}`),
            importedAt,
          ],
        );
        if (browser)
          await rows(
            "insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at) values ($1, $2, $3, 'form_submit', 1, $4)",
            [siteId, idOf(`${key} ${name}`), visitorIdOf(siteId, `${key} ${browser}`), at],
          );
      },
    };
  };
  return { rows, post, rollUp, siteWith };
}

export const utm = (source: string, medium: string, campaign?: string): Partial<Recorded> => ({
  source: 'paid_search',
  utm: { source, medium, ...(campaign ? { campaign } : {}) },
});
export const form = (formName: string, role?: string): Partial<Recorded> => ({
  props: role ? { formName, role } : { formName },
  source: 'internal',
});

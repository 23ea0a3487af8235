// What browsers send and what joins a lead of it, as tests about links say it.
import { leadIdOf } from './leads.ts';
import { makeEvent } from './make.ts';
import { admin, call, type TestServer } from './server.ts';

/** server: asked for at each call, since a test file starts it first */
export function tiesOf(server: () => TestServer) {
  const rows = async (sql: string, values: unknown[] = []) =>
    (await server().database.owner.query(sql, values)).rows;
  return {
    rows,
    page: (propertyId: string, anonId: string, path: string, headers = {}, fields = {}) =>
      call(`${server().url}/v1/events`, 'POST', makeEvent({ anonId, path, propertyId, ...fields }), headers),
    capture: (propertyId: string, body: object, headers = {}) =>
      call(`${server().url}/v1/leads/capture`, 'POST', { propertyId, ...body }, headers),
    linksOf: async (email: string): Promise<string[]> =>
      (
        await rows(
          `select link_source from lead_identities i join leads l using (site_id, lead_id)
           where email_normalized = $1 and unlinked_at is null order by 1`,
          [email],
        )
      ).map((row) => row.link_source),
    leadOf: async (email: string) =>
      (await rows('select * from leads where email_normalized = $1', [email]))[0],
    timelineOf: async (email: string): Promise<string[]> =>
      (
        await call(`${server().url}/v1/leads/${await leadIdOf(server(), email)}`, 'GET', undefined, admin)
      ).body.events.map(({ path }: { path: string }) => path),
  };
}

/** What a form of somebody who wants letters says of it. */
export const LETTER = { consentStatus: 'express', consent: { text: 'Write to me.' } };

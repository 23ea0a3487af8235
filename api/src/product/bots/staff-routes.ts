// The link by which a site's own people say that their visits don't count: /v1/sites/{siteId}/staff-link and /v1/staff/{token}.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites, transaction } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import type { Client } from '../../ground/http/client.ts';
import { utc } from '../../ground/http/fields.ts';
import { html } from '../../ground/http/html.ts';
import { page } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { Site } from '../../ground/site.ts';
import { wordsOf } from '../../ground/words/words.ts';
import type { DaySalts } from '../events/day-visitor.ts';
import { changeSettings } from '../sites/change.ts';
import type { Sites } from '../sites/recognise.ts';
import { isStaff, marksOf, type StaffMark } from '../sites/staff.ts';
import { judge } from './verdicts.ts';

export interface StaffNeeds {
  db: Pool;
  config: Config;
  sites: Sites;
  daySalts: DaySalts;
}

// Providers give a home another address every few weeks; whoever has it then is no staff.
const MARK_DAYS = 60;
const MARKS_MAX = 100;
const DAY_MS = 86_400_000;

const SHOW_STAFF = { at: 'GET /v1/staff/:token', tells: 'link' } as const;
const MARK_STAFF = { at: 'POST /v1/staff/:token', tells: 'link' } as const;
export const staffTells = [SHOW_STAFF, MARK_STAFF];

const linkShape = z
  .object({
    url: z.string().nullable().describe('to open where your people surf; null: there is none'),
    marks: z.array(z.object({ until: utc })).describe('networks that marked themselves'),
  })
  .meta({ id: 'StaffLink' });

export function staffRoutes(needs: StaffNeeds): Route[] {
  const { db, sites } = needs;
  const link = { tag: 'bots', who: 'settings', of: 'path', answers: { 200: linkShape } } as const;
  const person = { tag: 'bots', who: 'anyone' } as const;
  const answers = {
    200: { says: 'The page', type: 'text/html' },
    404: { says: 'No link of ours', type: 'text/html' },
  } as const;
  const change = async (call: Call, settings: { staffLink: string | null; staffMarks?: null }) => {
    const { siteId } = call.site;
    call.note({ target: siteId, details: { changes: Object.keys(settings) } });
    const site = await transaction(db, (tx) => changeSettings(tx, siteId, () => settings));
    await sites.reload();
    return told(needs, call, site ?? call.site);
  };
  return [
    route({
      ...link,
      at: 'GET /v1/sites/:siteId/staff-link',
      id: 'getStaffLink',
      says: "Shows the link by which a site's own people keep their visits apart",
      shows: 'no people',
      run: (_input, call) => told(needs, call, call.site),
    }),
    route({
      ...link,
      at: 'POST /v1/sites/:siteId/staff-link',
      id: 'makeStaffLink',
      says: 'Makes that link, or a new one: the one before works no more',
      run: (_input, call) => change(call, { staffLink: randomBytes(16).toString('base64url') }),
    }),
    route({
      ...link,
      at: 'DELETE /v1/sites/:siteId/staff-link',
      id: 'dropStaffLink',
      says: 'Ends it; the networks that marked themselves count again from now on',
      run: (_input, call) => change(call, { staffLink: null, staffMarks: null }),
    }),
    route({
      ...person,
      ...SHOW_STAFF,
      id: 'showStaff',
      says: 'A page with a button; writes nothing',
      answers,
      run: (_input, call) => {
        const site = linked(sites, call.params.token!);
        return site ? staffPage(site, call) : lost(call);
      },
    }),
    route({
      ...person,
      ...MARK_STAFF,
      id: 'registerStaff',
      says: 'Keeps the visits of this network apart for 60 days, or counts them again',
      takes: { as: ['form', 'json'], bytesMax: 1024, shape: z.object({ apart: z.enum(['yes', 'no']) }) },
      answers,
      async run({ apart }, call) {
        const site = linked(sites, call.params.token!);
        if (!site) return lost(call);
        await mark(needs, site.siteId, call, apart === 'yes');
        return staffPage(sites.find(site.siteId) ?? site, call);
      },
    }),
  ];
}

function told({ config }: StaffNeeds, call: Call, site: Site): z.output<typeof linkShape> {
  const { staffLink } = site.settings;
  return {
    url: typeof staffLink === 'string' ? `${config.PUBLIC_URL ?? call.origin}/v1/staff/${staffLink}` : null,
    marks: marksOf(site).map(({ until }) => ({ until })),
  };
}

const linked = (sites: Sites, token: string): Site | undefined =>
  sites.list().find(({ settings }) => settings.staffLink === token);

function lost(call: Call): Reply {
  const words = wordsOf(call.language);
  return page(call, 404, words.linkBroken, html`<p>${words.staffLinkEnded}</p>`);
}

function staffPage(site: Site, call: Call): Reply {
  call.speaksFor(site);
  const words = wordsOf(call.language);
  const name = site.name || words.thisSite;
  const until = marksOf(site)
    .find(({ network }) => network === call.client.limitKey)
    ?.until.slice(0, 10);
  const choice = (apart: 'yes' | 'no', label: string) =>
    html`<form method="post"><input type="hidden" name="apart" value="${apart}"><button type="submit">${label}</button></form>`;
  if (!isStaff(site, call.client, call.receivedMs))
    return page(
      call,
      200,
      words.visitsCount,
      html`<p>${words.workHere(name, MARK_DAYS)}</p>${choice('yes', words.keepApart)}`,
    );
  return page(
    call,
    200,
    words.visitsApart,
    html`<p>${words.apartUntil(name, until ?? null)}</p>${until && choice('no', words.countAgain)}`,
  );
}

/** From now on by the network; what this browser did lately is judged with it. */
async function mark(needs: StaffNeeds, siteId: string, call: Call, apart: boolean): Promise<void> {
  const { db, sites, config } = needs;
  const { client, receivedMs } = call;
  const visitors = await visitorsOf(needs, siteId, client, receivedMs);
  const own: StaffMark = {
    network: client.limitKey,
    until: new Date(receivedMs + MARK_DAYS * DAY_MS).toISOString(),
  };
  await inSites(db, siteId, async (tx) => {
    await changeSettings(tx, siteId, (site) => {
      const others = marksOf(site).filter(
        ({ network, until }) => network !== client.limitKey && Date.parse(until) > receivedMs,
      );
      return { staffMarks: apart ? [...others, own].slice(-MARKS_MAX) : others };
    });
    if (visitors.length > 0)
      await judge(tx, siteId, visitors, apart ? 'staff' : null, 'admin', config.SESSION_INACTIVITY_MINUTES);
  });
  await sites.reload();
}

/** Who this browser was on the site today, with an id of its own or without. */
async function visitorsOf(
  { db, daySalts }: StaffNeeds,
  siteId: string,
  client: Client,
  atMs: number,
): Promise<string[]> {
  const today = await daySalts.find(client, siteId, atMs);
  const { rows } = await inSites(db, siteId, (tx) =>
    tx.query<{ visitor_id: string }>(
      `select visitor_id from visitors where site_id = $1 and (visitor_id = any ($2::uuid[])
         or (ip_hash = $3 and ua_hash = $4 and last_seen_at > $5::timestamptz - interval '1 day'))
       order by last_seen_at desc limit 20`,
      [siteId, [today.id, today.before].filter(Boolean), client.ipHash, client.uaHash, new Date(atMs)],
    ),
  );
  return rows.map(({ visitor_id }) => visitor_id);
}

// Opens a mailed link: of which site, whose data; and says so where it opens nothing any more.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { SUBJECT } from '../../ground/http/caller.ts';
import { html } from '../../ground/http/html.ts';
import { page, yourDataPath } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Site, type SiteDirectory, timeZoneOf } from '../../ground/site.ts';
import { yourDataWords } from '../../ground/words/words.ts';
import { linkedSite } from '../consent/link.ts';
import type { Person } from '../erasure/theirs.ts';
import { hearLink } from '../sites/language.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { type LiveLink, useLink } from './links.ts';
import { overviewOf } from './overview.ts';
import { type Notice, overviewPage, type Shown } from './page.ts';
import { personAt } from './person.ts';

export interface OpenNeeds {
  db: Pool;
  sites: Pick<SiteDirectory, 'find'>;
  hashAddress: (siteId: string, normalized: string) => string;
  senderDefaults: SenderDefaults;
}

export interface Opened {
  site: Site;
  link: LiveLink;
  person: Person & { normalized: string; hash: string };
}

/**
 * The link of :token, when it is of that kind; noted for the audit log by the lead's id, else by the link's.
 * returns  null when it ran out, was ended, or never was
 */
export async function opened(
  { db, sites, hashAddress }: OpenNeeds,
  call: Call,
  kind: LiveLink['kind'] | 'any' = 'look',
): Promise<Opened | null> {
  hearLink(call, new URLSearchParams(call.querystring).get('lang'));
  const found = linkedSite(sites, call.params.token!);
  if (!found) return null;
  const { site, key } = found;
  const { siteId } = site;
  call.speaksFor(site);
  return inSites(db, siteId, async (tx) => {
    const link = await useLink(tx, siteId, key);
    if (!link || (kind !== 'any' && link.kind !== kind)) return null;
    const { normalized } = link;
    const hash = hashAddress(siteId, normalized);
    const person = await personAt(tx, siteId, normalized, hash);
    call.caller = SUBJECT;
    call.note({ siteId, target: person.leadId ?? link.linkId });
    return { site, link, person: { ...person, normalized, hash } };
  });
}

export function shownOf({ senderDefaults }: OpenNeeds, call: Call, site: Site): Shown {
  const { language } = call;
  return {
    words: yourDataWords(language),
    language,
    timeZone: timeZoneOf(site),
    at: `/v1/your-data/${encodeURIComponent(call.params.token!)}`,
    contact: senderOf(site, senderDefaults).contact,
  };
}

/** What is held, and the forms; notice: what was just done. */
export async function showAll(
  needs: OpenNeeds,
  call: Call,
  { site, link, person }: Opened,
  notice: Notice = null,
): Promise<Reply> {
  const overview = await inSites(needs.db, site.siteId, (tx) => overviewOf(tx, site.siteId, person));
  const shown = shownOf(needs, call, site);
  return page(
    call,
    notice?.isWrong ? 400 : 200,
    shown.words.title,
    overviewPage(shown, overview, link.expiresAt, notice),
  );
}

export function lostPage(call: Call): Reply {
  const words = yourDataWords(call.language);
  return page(
    call,
    404,
    words.over,
    html`<p>${words.askAgain} <a href="${yourDataPath(call)}">${words.link}</a></p>`,
  );
}

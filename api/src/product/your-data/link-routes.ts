// What a mailed link opens: GET /v1/your-data/{token} shows, the posts below it change. Looking changes nothing, and leaves a
// line in the audit log; every act is in the register of requests, too.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { utc } from '../../ground/http/fields.ts';
import { streamedJson } from '../../ground/http/json-stream.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { Tables } from '../../ground/tables.ts';
import { yourDataWords } from '../../ground/words/words.ts';
import { askedBy } from '../consent/asked-by.ts';
import { purposesField } from '../consent/purposes.ts';
import type { Withdrawal, Withdrawn } from '../consent/record.ts';
import type { DisplayWithdrawal } from '../display/display.ts';
import { restrictLead } from '../erasure/rights.ts';
import { everythingAbout, siteShape, subjectShape } from '../erasure/subject.ts';
import { linkKeyOf } from '../leads/listing.ts';
import { askAddressPage } from './address.ts';
import { FORM, HOW, LINK, PAGES, register } from './link-route.ts';
import { lostPage, type Opened, type OpenNeeds, opened, showAll } from './opened.ts';

export interface LinkNeeds extends OpenNeeds {
  /** Of all features. */
  tables: Tables;
  withdraw: (request: Withdrawal) => Promise<Withdrawn>;
  withdrawDisplay: (request: DisplayWithdrawal) => Promise<void>;
  publicUrl: string | undefined;
}

const isOn = z.string().max(20).optional();

export const linkTells = [
  { at: 'GET /v1/your-data/:token', tells: 'link' },
  ...['name', 'address', 'withdraw', 'display', 'object', 'download', 'delete', 'confirm'].map(
    (verb) => ({ at: `POST /v1/your-data/:token/${verb}`, tells: 'link' }) as const,
  ),
] as const;

export function linkRoutes(needs: LinkNeeds): Route[] {
  return [
    route({
      ...LINK,
      at: 'GET /v1/your-data/:token',
      id: 'showHeldData',
      says: 'What is held about the person whose link it is, in plain words, with forms to change it',
      answers: PAGES,
      async run(_input, call) {
        const one = await opened(needs, call, 'any');
        if (!one) return lostPage(call);
        return one.link.kind === 'address' ? askAddressPage(needs, call, one) : showAll(needs, call, one);
      },
    }),
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/withdraw',
      id: 'withdrawHeldConsent',
      says: 'Withdraws the purposes that were ticked, or everything',
      takes: { ...FORM, shape: z.object({ purposes: purposesField.optional(), everything: isOn }) },
      answers: PAGES,
      async run({ purposes, everything }, call) {
        const one = await opened(needs, call);
        if (!one) return lostPage(call);
        return withdrawTicked(needs, call, one, everything ? 'all' : purposes);
      },
    }),
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/display',
      id: 'withdrawHeldDisplay',
      says: 'Takes back that they may be named, and their reviews be published; also where these still wait',
      answers: PAGES,
      async run(_input, call) {
        const one = await opened(needs, call);
        if (!one) return lostPage(call);
        return hide(needs, call, one);
      },
    }),
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/object',
      id: 'objectToLinking',
      says: 'Undoes for good what ties browsers to the address, and ties none to it any more',
      answers: PAGES,
      async run(_input, call) {
        const one = await opened(needs, call);
        if (!one) return lostPage(call);
        return objectToLinks(needs, call, one);
      },
    }),
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/download',
      id: 'exportHeldData',
      bucket: 'delete', // it reads everything
      says: 'Everything that is held about the person, as POST /v1/leads/export-subject gives it; streamed',
      answers: {
        200: z.object({ site: siteShape, generatedAt: utc, subject: subjectShape }),
        404: PAGES[404],
      },
      async run(_input, call) {
        const one = await opened(needs, call);
        if (!one) return lostPage(call);
        return download(needs, call, one);
      },
    }),
  ];
}

async function withdrawTicked(
  needs: LinkNeeds,
  call: Call,
  one: Opened,
  ticked: string[] | 'all' | undefined,
): Promise<Reply> {
  const words = yourDataWords(call.language);
  const { site, person } = one;
  const { leadId } = person;
  if (!ticked || !leadId) return showAll(needs, call, one, { says: words.tickOne, isWrong: true });
  call.note({ details: { purposes: ticked } });
  await needs.withdraw({
    site_id: site.siteId,
    request_id: randomUUID(),
    at: call.receivedAt.toISOString(),
    basis: 'self_service',
    key: await inSites(needs.db, site.siteId, (tx) => linkKeyOf(tx, site.siteId, leadId)),
    purposes: ticked === 'all' ? undefined : ticked,
    reason: HOW,
    ...askedBy(call),
  });
  await register(needs, call, one, 'withdrawal');
  return showAll(needs, call, one, { says: words.withdrawn });
}

async function hide(needs: LinkNeeds, call: Call, one: Opened): Promise<Reply> {
  const { normalized, hash } = one.person;
  call.note({ details: { display: 'withdrawn' } });
  // by the address: of whoever waits in quarantine and is no lead, too
  await needs.withdrawDisplay({
    site_id: one.site.siteId,
    at: call.receivedAt.toISOString(),
    basis: 'link',
    email_normalized: normalized,
    email_hash: hash,
  });
  await register(needs, call, one, 'withdrawal');
  return showAll(needs, call, one, { says: yourDataWords(call.language).takenBack });
}

async function objectToLinks(needs: LinkNeeds, call: Call, one: Opened): Promise<Reply> {
  const { site, person } = one;
  const words = yourDataWords(call.language);
  const { leadId } = person;
  if (!leadId) return showAll(needs, call, one, { says: words.notTied });
  await inSites(needs.db, site.siteId, async (tx) => {
    const { linksUndone } = await restrictLead(tx, site.siteId, leadId, { profiling: true });
    call.note({ details: { linksUndone } });
  });
  await register(needs, call, one, 'objection');
  const now = await opened(needs, call); // other browsers are theirs than a moment ago
  return now ? showAll(needs, call, now, { says: words.objectionTaken }) : lostPage(call);
}

async function download(needs: LinkNeeds, call: Call, one: Opened): Promise<Reply> {
  const { db, tables, publicUrl = call.origin } = needs;
  const { site, person, link } = one;
  const { siteId, key, name } = site;
  await register(needs, call, one, 'access');
  const found = await everythingAbout({ db, tables, siteId, publicUrl }, person);
  if (!found) return lostPage(call); // erased in this moment
  const file = streamedJson({
    site: { siteId, key, name },
    generatedAt: new Date().toISOString(),
    subject: found.subject,
  });
  return new Reply(file.status, file.body, {
    ...file.headers,
    'Content-Disposition': `attachment; filename="my-data-${link.linkId.slice(0, 8)}.json"`,
  });
}

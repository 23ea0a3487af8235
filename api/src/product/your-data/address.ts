// Corrections by the person: the name at once, the address when a link that was mailed to the new one is confirmed.
import { z } from 'zod';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { html } from '../../ground/http/html.ts';
import { page, yourDataPath } from '../../ground/http/page.ts';
import type { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { cutText } from '../../ground/lib/text.ts';
import { yourDataWords } from '../../ground/words/words.ts';
import { askedBy } from '../consent/asked-by.ts';
import { correctAddress, correctName } from '../erasure/rights.ts';
import { senderOf } from '../sites/sender.ts';
import { FORM, HOW, LINK, PAGES } from './link-route.ts';
import { askForLink, endLinks } from './links.ts';
import { lostPage, type Opened, type OpenNeeds, opened, showAll, shownOf } from './opened.ts';
import { formAt } from './page.ts';

const NAME_LENGTH_MAX = 200;
const name = z
  .string()
  .transform((text) => cutText(text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim(), NAME_LENGTH_MAX))
  .default('');

export function correctionRoutes(needs: OpenNeeds): Route[] {
  return [
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/name',
      id: 'updateHeldName',
      says: 'Corrects the name, beside what forms and imports brought',
      takes: { ...FORM, shape: z.object({ name }) },
      answers: PAGES,
      async run(input, call) {
        const one = await opened(needs, call);
        return one ? rename(needs, call, one, input.name) : lostPage(call);
      },
    }),
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/address',
      id: 'askAddressChange',
      says: 'Mails a link to the new address; nothing changes before it is confirmed',
      bucket: 'delete',
      takes: { ...FORM, shape: z.object({ email: z.string().max(1000).default('') }) },
      answers: PAGES,
      async run({ email }, call) {
        const one = await opened(needs, call);
        return one ? askNewAddress(needs, call, one, email) : lostPage(call);
      },
    }),
    route({
      ...LINK,
      at: 'POST /v1/your-data/:token/confirm',
      id: 'confirmAddressChange',
      says: 'Puts the new address in the place of the one before; links to the one before end',
      answers: PAGES,
      async run(_input, call) {
        const one = await opened(needs, call, 'address');
        return one ? confirmAddress(needs, call, one) : lostPage(call);
      },
    }),
  ];
}

async function rename(needs: OpenNeeds, call: Call, one: Opened, wanted: string): Promise<Reply> {
  const { siteId } = one.site;
  const { leadId, hash } = one.person;
  const words = yourDataWords(call.language);
  if (!leadId || wanted === '') return showAll(needs, call, one);
  call.note({ details: { changes: ['name'] } });
  await inSites(needs.db, siteId, (tx) =>
    correctName(tx, siteId, leadId, {
      name: wanted,
      emailHash: hash,
      receivedAt: call.receivedAt,
      evidence: HOW,
    }),
  );
  return showAll(needs, call, one, { says: words.changed });
}

async function askNewAddress(needs: OpenNeeds, call: Call, one: Opened, typed: string): Promise<Reply> {
  const words = yourDataWords(call.language);
  const wrong = (says: string) => showAll(needs, call, one, { says, isWrong: true });
  const { siteId } = one.site;
  const { normalized, leadId } = one.person;
  const address = readAddress(typed);
  if (!leadId || !address) return wrong(words.notAnAddress);
  if (address.normalized === normalized) return wrong(words.sameAddress);
  const isAsked = await inSites(needs.db, siteId, (tx) =>
    askForLink(tx, {
      siteId,
      kind: 'address',
      normalized,
      mailTo: address.email,
      hash: needs.hashAddress(siteId, address.normalized),
      askedBy: askedBy(call).ip_hash,
      language: call.language,
    }),
  );
  return isAsked ? showAll(needs, call, one, { says: words.mailedToNew }) : wrong(words.tooMany);
}

/** Where the link in the mail to the new address leads: one button, nothing is written. */
export function askAddressPage(needs: OpenNeeds, call: Call, { site, link }: Opened): Reply {
  const shown = shownOf(needs, call, site);
  const { words } = shown;
  const { name: who } = senderOf(site, needs.senderDefaults);
  return page(
    call,
    200,
    words.confirmAddress,
    html`<p><strong>${link.mailTo}</strong></p><p>${words.takesPlace(who)}</p><form method="post" action="${formAt(shown, 'confirm')}"><button>${words.yesAddress}</button></form>`,
  );
}

async function confirmAddress(needs: OpenNeeds, call: Call, one: Opened): Promise<Reply> {
  const words = yourDataWords(call.language);
  const { siteId } = one.site;
  const { leadId, normalized, hash } = one.person;
  const after = readAddress(one.link.mailTo ?? '');
  if (!leadId || !after) return lostPage(call);
  call.note({ details: { changes: ['email'] } });
  const isDone = await inSites(needs.db, siteId, async (tx) => {
    const correction = {
      before: normalized,
      beforeHash: hash,
      after,
      afterHash: needs.hashAddress(siteId, after.normalized),
      receivedAt: call.receivedAt,
      evidence: HOW,
    };
    const done = await correctAddress(tx, siteId, leadId, correction, HOW);
    // whoever reads the old mailbox opens nothing of the new one
    if (done) await endLinks(tx, siteId, normalized);
    return done;
  });
  const next = html`<p><a href="${yourDataPath(call)}">${words.link}</a></p>`;
  return isDone
    ? page(call, 200, words.addressChanged, html`<p>${words.askByNew}</p>${next}`)
    : page(call, 400, words.addressTaken, html`<p>${words.takenHow}</p>${next}`);
}
